"""What operators are in numbers, as users of TG-NAS import it; it stands in `predictor.encoding`."""

from predictor.encoding.descriptors import Descriptor

__all__ = ["Descriptor"]
