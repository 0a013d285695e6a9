"""Operators that are known to cost no multiply-accumulates, by the catalog's word for them.

What is counted are convolutions, linear maps, matrix products, attention and recurrent layers. What moves, compares,
selects, reduces or changes elements one by one is none of these. An operator that is neither counted nor listed here
has an unknown cost, never one of 0: a new operator of a library, a user's own and a subgraph are not free because
nobody thought of them.
"""

from __future__ import annotations

from catalog.architecture.computation.vocabulary import COUNTED, PLAIN

_MOVING = """
adjoint alias_copy as_strided as_strided_scatter atleast_1d atleast_2d atleast_3d block_diag broadcast_tensors
broadcast_to cartesian_prod centercroppad channel_shuffle channelshuffle col2im column_stack combinations concat
concatfromsequence constant copy detach_copy diag diag_embed diagflat diagonal diagonal_copy diagonal_scatter dsplit
dstack expand_copy fill fill_diagonal flip fliplr flipud fold hsplit hstack index_add index_copy index_fill index_put
masked_fill masked_scatter masked_select meshgrid msort native_channel_shuffle optional optionalgetelement
optionalhaselement narrow_copy permute_copy pin_memory pixel_unshuffle pixelunshuffle put ravel repeat_interleave
resize_as reversesequence roll rot90 row_stack scatter scatter_add scatter_reduce scatterelements scatternd
select_copy select_scatter sequenceat sequenceconstruct sequenceempty sequenceerase sequenceinsert sequencelength
slice_copy slice_scatter spacetodepth split_copy split_with_sizes_copy splittosequence squeeze_copy t_copy take
take_along_dim tensorscatter to_dense to_padded_tensor transpose_copy tril triu trilu unbind_copy unfold unfold_copy
unsafe_chunk unsafe_split unsafe_split_with_sizes unsqueeze_copy view_as_complex view_as_real view_copy vsplit
gatherelements gathernd compress circularpad1d circularpad2d circularpad3d reflectionpad3d replicationpad1d
replicationpad3d zeropad1d zeropad3d reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
replication_pad2d replication_pad3d pad_circular lift_fresh unsafe_index
"""

_CONSTANTS = """
arange bernoulli blackmanwindow constantofshape empty empty_like eye eyelike full full_like hammingwindow hannwindow
linspace logspace multinomial new_empty new_full new_ones new_zeros normal one_hot onehot ones ones_like poisson rand
rand_like randint randint_like randn randn_like randomnormal randomnormallike randomuniform randomuniformlike randperm
range scalar_tensor shape size tril_indices triu_indices uniform zero zeros zeros_like
"""

_ELEMENTWISE = """
active_dropout
abs absolute acos acosh addcdiv addcmul angle arccos arccosh arcsin arcsinh arctan arctan2 arctanh asin asinh atan
atan2 atanh bfloat16 biasadd bool byte castlike ceil celu clamp_max clamp_min complex conj conj_physical copysign cos
cosh deg2rad digamma double erf erfc erfinv exp exp2 expm1 fastgelu biasgelu quickgelu fix float_power floor
floor_divide floordiv fmax fmin fmod frac glu hardmax hardshrink heaviside hypot i0 imag int ldexp
lerp lgamma log log10 log1p log2 logaddexp logaddexp2 logit logsigmoid long maximum minimum min mod nan_to_num neg
negative nextafter pos positive pow rad2deg real reciprocal remainder rfloordiv rotaryembedding round rpow rrelu rsqrt
sgn shrink sign signbit sin sinc sinh softmax2d softmin softshrink softsign sqrt square swiglu tan tanhshrink
threshold thresholdedrelu trunc where xlogy gumbel_softmax fake_quantize_per_channel_affine
fake_quantize_per_tensor_affine quantizelinear dequantizelinear dynamicquantizelinear quantize_per_tensor
quantize_per_channel dequantize bitcast prelu_kernel rrelu_with_noise safe_softmax special_erf special_expit
"""

_COMPARING = """
all any and bitshift bitwise_and bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bitwiseand
bitwisenot bitwiseor bitwisexor eq equal ge greater greater_equal greaterorequal gt isclose isfinite isin isinf isnan
isneginf isposinf le less less_equal lessorequal logical_and logical_not logical_or logical_xor lt ne not not_equal or
xor iand ior ixor ilshift irshift lshift rshift ror rxor invert
"""

_REDUCING = """
amin aminmax argmax argmin argsort argwhere bincount bucketize count_nonzero cosine_similarity cosinesimilarity cummax
cummin cumprod cumsum diff dist frobenius_norm linalg_vector_norm globallppool histc kthvalue logcumsumexp logsumexp
median mode nanmean nanmedian nansum nonzero norm pairwise_distance pairwisedistance prod quantile reducel1 reducel2
reducelogsum reducelogsumexp reducemin reduceprod reducesumsquare searchsorted sort std std_mean topk unique
unique_consecutive var var_mean
"""

_POOLING_AND_NORMALIZING = """
crossmaplrn2d embedding_bag embeddingbag fractional_max_pool2d fractional_max_pool3d fractionalmaxpool2d
fractionalmaxpool3d local_response_norm localresponsenorm lp_pool1d lp_pool2d lp_pool3d lpnormalization lppool1d
lppool2d lppool3d lrn max_unpool1d max_unpool2d max_unpool3d maxunpool maxunpool1d maxunpool2d maxunpool3d
meanvariancenormalization normalize simplifiedlayernormalization skiplayernormalization
skipsimplifiedlayernormalization embedlayernormalization upsample_nearest upsample_bilinear upsample_linear1d
upsample_nearest1d upsample_nearest3d upsample_bicubic2d upsample_trilinear3d upsample_bilinear2d_aa
upsample_bicubic2d_aa
"""

_LISTED = (_MOVING, _CONSTANTS, _ELEMENTWISE, _COMPARING, _REDUCING, _POOLING_AND_NORMALIZING)

FREE = frozenset(word for words in _LISTED for word in words.split()) | (frozenset(PLAIN) - COUNTED)
"""Words of the operators that cost nothing here."""
