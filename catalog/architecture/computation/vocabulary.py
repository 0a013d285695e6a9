"""The catalog's words for operators without a window, and the words that PyTorch and ONNX have for them."""

from __future__ import annotations

import re
from collections.abc import Mapping

PLAIN: Mapping[str, tuple[str, str]] = {
    "add": ("merge", "Addition"),
    "subtract": ("merge", "Subtraction"),
    "multiply": ("merge", "Multiplication"),
    "divide": ("merge", "Division"),
    "matmul": ("merge", "Matrix multiplication"),
    "linear": ("linear", "Linear map"),
    "gather_outputs": ("merge", "Several outputs together"),
    "batchnorm": ("norm", "Batch normalization"),
    "layernorm": ("norm", "Layer normalization"),
    "groupnorm": ("norm", "Group normalization"),
    "instancenorm": ("norm", "Instance normalization"),
    "rmsnorm": ("norm", "Root mean square normalization"),
    "relu": ("activation", "Rectified linear unit"),
    "relu6": ("activation", "Rectified linear unit bounded by 6"),
    "leaky_relu": ("activation", "Leaky rectified linear unit"),
    "prelu": ("activation", "Rectified linear unit with a learned slope"),
    "elu": ("activation", "Exponential linear unit"),
    "selu": ("activation", "Scaled exponential linear unit"),
    "gelu": ("activation", "Gaussian error linear unit"),
    "silu": ("activation", "Sigmoid linear unit"),
    "mish": ("activation", "Mish activation"),
    "hardswish": ("activation", "Piecewise linear sigmoid linear unit"),
    "hardsigmoid": ("activation", "Piecewise linear sigmoid"),
    "sigmoid": ("activation", "Sigmoid"),
    "tanh": ("activation", "Hyperbolic tangent"),
    "softplus": ("activation", "Softplus"),
    "softmax": ("activation", "Softmax"),
    "log_softmax": ("activation", "Logarithm of the softmax"),
    "clip": ("activation", "Clipping to a range"),
    "dropout": ("skip", "Dropout, which is the identity outside of training"),
    "identity": ("skip", "Identity"),
    "reshape": ("reshape", "Change of shape"),
    "permute": ("reshape", "Permutation of the axes"),
    "slice": ("reshape", "Part of a tensor"),
    "split": ("reshape", "Split into parts"),
    "stack": ("reshape", "Stacking along a new axis"),
    "pad": ("reshape", "Padding"),
    "expand": ("reshape", "Repetition along axes"),
    "resize": ("resize", "Interpolation to another resolution"),
    "pixel_shuffle": ("resize", "Channels rearranged into pixels"),
    "global_avgpool": ("pool", "Global average pooling"),
    "global_maxpool": ("pool", "Global max pooling"),
    "adaptive_avgpool": ("pool", "Average pooling to a given size"),
    "adaptive_maxpool": ("pool", "Max pooling to a given size"),
    "mean": ("pool", "Mean over axes"),
    "reduce_sum": ("pool", "Sum over axes"),
    "reduce_max": ("pool", "Maximum over axes"),
    "attention": ("attention", "Scaled dot-product attention"),
    "causal_attention": ("attention", "Scaled dot-product attention to earlier tokens"),
    "span_convolution": ("attention", "Convolution with kernels that are computed for each token"),
    "fourier_transform": ("other", "Real part of a Fourier transform over tokens and channels"),
    "cosine_transform": ("other", "Cosine transform over tokens and channels"),
    "gated_gelu": ("activation", "Product of values and their gates, Gaussian error linear units"),
    "gated_relu": ("activation", "Product of values and their gates, rectified linear units"),
    "gated_sigmoid": ("activation", "Product of values and their gates, sigmoids"),
    "gated_silu": ("activation", "Product of values and their gates, sigmoid linear units"),
    "multihead_attention": ("attention", "Multi-head attention with its projections"),
    "embedding": ("embedding", "Look-up of learned vectors"),
    "class_token": ("embedding", "A learned vector before the tokens"),
    "positions": ("embedding", "Addition of learned vectors of places"),
    "segments": ("embedding", "Addition of learned vectors of segments"),
    "lstm": ("recurrent", "Long short-term memory"),
    "gru": ("recurrent", "Gated recurrent unit"),
    "rnn": ("recurrent", "Recurrent layer"),
    "lstm_cell": ("recurrent", "One step of a long short-term memory"),
    "gru_cell": ("recurrent", "One step of a gated recurrent unit"),
    "rnn_cell": ("recurrent", "One step of a recurrent layer"),
}
"""Word to kind and description."""

RECURRENT = frozenset({"lstm", "gru", "rnn", "lstm_cell", "gru_cell", "rnn_cell"})

WITH_WEIGHTS = (
    frozenset({"linear", "multihead_attention", "embedding", "class_token", "positions", "segments"}) | RECURRENT
)

COUNTED = (
    frozenset({"matmul", "linear", "attention", "causal_attention", "multihead_attention"})
    | frozenset({"span_convolution", "fourier_transform", "cosine_transform"})
    | RECURRENT
)
"""Words whose multiply-accumulates follow from shapes, where these are known."""

_SYNONYMS: Mapping[str, str] = {
    "add": "iadd radd",
    "subtract": "sub isub rsub subtract",
    "multiply": "mul imul rmul",
    "divide": "div truediv itruediv true_divide",
    "matmul": "bmm mm imatmul",
    "concat": "cat concatenate",
    "batchnorm": "batchnorm1d batchnorm2d batchnorm3d batch_norm syncbatchnorm batchnormalization "
    "native_batch_norm native_batch_norm_legit_no_training",
    "layernorm": "layer_norm native_layer_norm layernormalization",
    "groupnorm": "group_norm native_group_norm groupnormalization",
    "instancenorm": "instance_norm instancenorm1d instancenorm2d instancenorm3d instancenormalization",
    "rmsnorm": "rms_norm rmsnormalization",
    "leaky_relu": "leakyrelu",
    "silu": "swish",
    "hardswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "log_softmax": "logsoftmax",
    "clip": "clamp hardtanh",
    "dropout": "dropout1d dropout2d dropout3d alphadropout featurealphadropout feature_dropout feature_alpha_dropout "
    "native_dropout alpha_dropout",
    "identity": "contiguous clone data detach alias lift_fresh_copy to type_as float half cast",
    "reshape": "view unsafe_view flatten unflatten squeeze unsqueeze reshape_as view_as",
    "permute": "transpose t mt movedim moveaxis swapaxes swapdims",
    "slice": "getitem select narrow gather index_select index",
    "split": "chunk split_with_sizes unbind tensor_split",
    "pad": "constantpad1d constantpad2d constantpad3d zeropad2d reflectionpad1d reflectionpad2d replicationpad2d "
    "constant_pad_nd",
    "expand": "expand_as repeat tile",
    "resize": "interpolate upsample upsamplingnearest2d upsamplingbilinear2d upsample_nearest2d upsample_bilinear2d",
    "pixel_shuffle": "pixelshuffle depthtospace",
    "global_avgpool": "globalaveragepool",
    "global_maxpool": "globalmaxpool",
    "mean": "reducemean",
    "reduce_sum": "sum reducesum",
    "reduce_max": "max amax reducemax",
    "attention": "scaled_dot_product_attention",
    "multihead_attention": "multiheadattention multi_head_attention_forward",
    "pow": "ipow",
    "floordiv": "ifloordiv",
    "mod": "imod",
    "rnn": "rnn_tanh rnn_relu",
    "lstm_cell": "lstmcell",
    "gru_cell": "grucell",
    "rnn_cell": "rnncell rnn_tanh_cell rnn_relu_cell",
}

_LONGEST = 60
_WORD_OF = {synonym: word for word, synonyms in _SYNONYMS.items() for synonym in synonyms.split()}


def word_of(name: str) -> str:
    """The catalog's word for a PyTorch function, method or module class, or an ONNX operator."""
    bare = bare_word(name)
    return _WORD_OF.get(bare, bare)


def bare_word(name: str) -> str:
    """A name in small letters, without the underscores that mark an in-place or an internal function."""
    return re.sub(r"\W+", "_", name[:_LONGEST]).strip("_").lower() or "unnamed"
