"""Functions of RewardBench's own package, from its unpacked wheel (pip download --no-deps rewardbench==0.1.4; python -m zipfile -e). Needs
numpy, pandas, datasets; what the package imports beside them (fastchat, models) these functions do not use: stubbed."""
import importlib.util
import sys
import types

PRIOR = ["anthropic_helpful", "anthropic_hhh", "shp", "summarize"]


def _stub(name, **members):
    module = sys.modules[name] = types.ModuleType(name)
    module.__dict__.update(members)


def _load(root, name, path):
    spec = importlib.util.spec_from_file_location(name, f"{root}/{path}")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_package(root):
    """A namespace of modules: constants, utils, files (analysis/utils.py), results (analysis/get_benchmark_results.py)."""
    from datasets import disable_progress_bars

    disable_progress_bars()
    for name in ("fastchat", "rewardbench"):
        _stub(name, __path__=[])
    _stub("fastchat.conversation", Conversation=None)
    _stub("rewardbench.models", REWARD_MODEL_CONFIG={})
    constants = _load(root, "rewardbench.constants", "rewardbench/constants.py")
    utils = _load(root, "rewardbench.utils", "rewardbench/utils.py")
    _stub("analysis", __path__=[f"{root}/analysis"])
    files = _load(root, "analysis.utils", "analysis/utils.py")
    results = _load(root, "analysis.get_benchmark_results", "analysis/get_benchmark_results.py")
    return types.SimpleNamespace(constants=constants, utils=utils, files=files, results=results)
