"""The upstream files of each set, with the checksums that torchvision publishes: for hook modules, too."""

from __future__ import annotations

from adbench import RemoteFile

_IDX_NAMES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx_files(
    folder: str, other: str, mirrors: tuple[str, ...], md5: tuple[str, ...], sizes: tuple[int | None, ...] = (None,) * 4
) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(
            path=f"{folder}/{name}",
            urls=tuple(f"{mirror}{name}" for mirror in mirrors),
            checksum=f"md5:{checksum}",
            size=size,
            elsewhere=(f"{other}/{name}", f"{folder}/{name[:-3]}", f"{other}/{name[:-3]}"),
        )
        for name, checksum, size in zip(_IDX_NAMES, md5, sizes, strict=True)
    )


MNIST = _idx_files(
    "mnist",
    "MNIST/raw",
    ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
    (9_912_422, 28_881, 1_648_877, 4_542),
)
FASHION = _idx_files(
    "fashion_mnist",
    "FashionMNIST/raw",
    ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
    (26_421_880, 29_515, 4_422_102, 5_148),
)
KMNIST = _idx_files(
    "kmnist",
    "KMNIST/raw",
    ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
    (
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    ),
)
#: One archive with all splits of EMNIST; the letters are four members of it.
EMNIST = (
    RemoteFile(
        path="emnist/gzip.zip",
        urls=("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
        checksum="md5:58c8d27c78d21e728a6bc7b3cc06412e",
        elsewhere=(
            "EMNIST/raw/gzip.zip",
            "emnist/emnist-letters-train-images-idx3-ubyte.gz",
            "EMNIST/raw/emnist-letters-train-images-idx3-ubyte.gz",
        ),
    ),
)
CIFAR10 = (
    RemoteFile(
        path="cifar10/cifar-10-python.tar.gz",
        urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
        checksum="md5:c58f30108f718f92721af3b95e74349a",
        size=170_498_071,
        elsewhere=(
            "cifar-10-python.tar.gz",
            "cifar10/cifar-10-batches-py/data_batch_5",
            "cifar-10-batches-py/data_batch_5",
        ),
    ),
)
CIFAR100 = RemoteFile(
    path="cifar100/cifar-100-python.tar.gz",
    urls=("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
    checksum="md5:eb9058c3a382ffc7106e4002c42a8d85",
)
SVHN = RemoteFile(
    path="svhn/test_32x32.mat",
    urls=("http://ufldl.stanford.edu/housenumbers/test_32x32.mat",),
    checksum="md5:eb5a983be6a315427106f1b164d9cef3",
    size=64_275_384,
)
OMNIGLOT = RemoteFile(
    path="omniglot/images_evaluation.zip",
    urls=("https://raw.githubusercontent.com/brendenlake/omniglot/master/python/images_evaluation.zip",),
    checksum="md5:6b91aef0f799c5bb55b94e3f2daec811",
)
#: To be put there by hand: nobody publishes a checksum.
NOTMNIST = RemoteFile(path="notmnist/t10k-images-idx3-ubyte.gz")
