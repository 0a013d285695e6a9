"""Any PyTorch module or ONNX file as a computation graph of primitive operators."""
