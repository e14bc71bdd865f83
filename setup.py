"""Installs `ptn_semi` and its data set `shapenet_posed_masks`."""

import pathlib

import setuptools

HERE = pathlib.Path(__file__).parent
# What users of a model may want; the rest is for GPUs, clusters and developers.
EXTRAS = {
    "demo": ["gradio"],
    "onnx": ["tf2onnx"],
    "photos": ["rembg[cpu]"],  # finds objects before natural backgrounds
    "serving": ["tensorflow-serving-api"],  # requests that TF Serving warms up with
}

setuptools.setup(
    name="ptn_semi",
    version="0.1.0",
    description="Single-view 3D reconstruction with limited pose supervision, in TensorFlow 2",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    classifiers=[
        "License :: OSI Approved :: Apache Software License",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13)),
    ],
    packages=[
        *setuptools.find_packages(include=["ptn_semi*"]),
        *setuptools.find_packages("datasets"),
    ],
    package_dir={"shapenet_posed_masks": "datasets/shapenet_posed_masks"},
    package_data={
        "ptn_semi": ["examples/*.png", "pretrained/*"],
        "ptn_semi.configs": ["*.flags"],
        "ptn_semi.models": ["*.npz"],
        "shapenet_posed_masks": ["README.md", "*.bib", "*.txt", "*.tsv", "*.png"],
    },
    entry_points={"console_scripts": ["ptn-semi = ptn_semi.__main__:main"]},
    install_requires=[
        "absl-py",
        "fast-simplification",  # meshes of fewer triangles
        "importlib_resources",  # TFDS needs it in packages and does not say so
        "keras-tuner",
        "mapbox_earcut",  # cuts concave polygons into triangles
        "matplotlib",
        "numpy",
        "pillow",
        "plyfile",
        "scikit-image",  # marching cubes
        "scipy",  # fills the inside of meshes
        "tensorboard",
        "tensorflow>=2.18",
        "tensorflow-datasets>=4.9.7",
        "tqdm",
        "trimesh",
    ],
    extras_require={
        **EXTRAS,
        "all": [package for extra in EXTRAS.values() for package in extra],
        "beam": ["apache-beam"],
        "gpu": ["tensorflow[and-cuda]>=2.18"],
        "test": [
            "dill",  # tfds.testing needs it
            "hypothesis",  # damages files
            "import-linter",
            "ipykernel",
            "mypy",
            "nbclient",  # runs the notebook
            "onnxruntime",  # runs what is exported
            "pytest",
            "pytest-xdist",
            "ruff",
            "scikit-learn",
            "types-tqdm",
        ],
    },
)
