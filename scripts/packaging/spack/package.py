# Spack package of xlrm, for a repository of your own:
#     spack repo create mine; mkdir -p mine/packages/xlrm; cp package.py mine/packages/xlrm/; spack repo add mine
#     spack develop --path /path/to/xlrm xlrm@main; spack install xlrm
# Not tried: there is no Spack where this was written. Checked: its Python syntax, and that each name that it passes to CMake is
# one that this build knows.
from spack.package import *


class Xlrm(CMakePackage):
    """Cross-lingual reward modelling over MPI: trains, evaluates and compares reward models across languages."""

    license("Apache-2.0")
    version("main", branch="main")

    variant("parquet", default=True, description="Read .parquet files")
    variant("tests", default=False, description="Build the tests")

    depends_on("c", type="build")
    depends_on("cxx", type="build")
    depends_on("cmake@3.24:", type="build")
    depends_on("ninja", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5@1.10: +mpi +hl")
    depends_on("boost@1.71: +program_options")
    depends_on("nlohmann-json@3.10:")
    depends_on("zlib-api")
    depends_on("openssl")
    depends_on("pcre2")
    depends_on("utf8proc")
    depends_on("sentencepiece@0.2.1:")
    depends_on("py-torch@2.11 ~cuda ~rocm")
    depends_on("arrow@19: +parquet", when="+parquet")
    depends_on("py-h5py", type="run")  # the report, as the next one
    depends_on("py-matplotlib", type="run")
    depends_on("googletest", when="+tests")

    generator("ninja")

    def cmake_args(self):
        torch = self.spec["py-torch"]
        return [
            self.define("XLRM_TORCH_ROOT", join_path(torch.package.cmake_prefix_paths[0], "..", "..")),
            self.define("XLRM_INSTALL_LIBRARIES", False),
            self.define("XLRM_FAST_BUILD", True),
            self.define("XLRM_ARCH", ""),  # Spack's compiler wrapper gives the target's flags
            self.define_from_variant("XLRM_BUILD_TESTS", "tests"),
        ]
