"""What HW-NAS-Bench's published tables hold: a digest of the values of every column, over all cells."""

from __future__ import annotations

from collections.abc import Mapping

OFFICIAL_VALUES: Mapping[str, Mapping[str, str]] = {
    "cifar10": {
        "edgegpu latency": "9c5e97c8d391bec0",
        "edgegpu energy": "4a3e7f7ee0162ca9",
        "raspi4 latency": "95529996bc5171e2",
        "edgetpu latency": "00e59172e0f252d9",
        "pixel3 latency": "f88fb45079e586ea",
        "eyeriss latency": "0a2b83d93bba5a28",
        "eyeriss energy": "34e5475dac4b90a4",
        "eyeriss arithmetic_intensity": "f3dfdbba59c7cda3",
        "fpga latency": "975c07a4ca46f10d",
        "fpga energy": "7b0a6bbf68d6cb49",
    },
    "cifar100": {
        "edgegpu latency": "4b3b848a3ace9cc5",
        "edgegpu energy": "96c7da9998ee3994",
        "raspi4 latency": "128aa7e00dd6c393",
        "edgetpu latency": "d90969cbc60c8835",
        "pixel3 latency": "00d31da679902cae",
        "eyeriss latency": "4b48a50c328aa823",
        "eyeriss energy": "e31e91f727d32c53",
        "eyeriss arithmetic_intensity": "c69b215471e642cd",
        "fpga latency": "975c07a4ca46f10d",
        "fpga energy": "7b0a6bbf68d6cb49",
    },
    "imagenet16-120": {
        "edgegpu latency": "2100fe99188a9647",
        "edgegpu energy": "a99aa4a694b0c5d8",
        "raspi4 latency": "f5eb4940c18b9f8f",
        "edgetpu latency": "9b4ef0ce5bf14c7b",
        "pixel3 latency": "ca877691af229a66",
        "eyeriss latency": "65fd2f17034eaf56",
        "eyeriss energy": "214d0318cb948ad4",
        "eyeriss arithmetic_intensity": "7c8d559b82ef67a0",
        "fpga latency": "ade6b5f4f9f655e1",
        "fpga energy": "8992bc759529f947",
    },
}
"""Data set to column to the digest of its values, as `ingest.formats.hw_nas_bench.values_digest` makes it."""
