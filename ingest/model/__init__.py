"""Any PyTorch module or ONNX file as a computation graph of primitive operators.

An ONNX file is read as data; a module's own code is run, because that is what naming it means.
"""
