"""Ids and decoded text equal those of Hugging Face's tokenizers, for random strings and for every code point.

    tokenizer_fuzz.py TOKENIZER_CLI [--strings N] [--seed S] [--scan] [TOKENIZER_JSON...]      exit code 77: skipped

Without files: small tokenizers with the pipelines of published ones (tokenizer_fuzz_files.py), and the files of the shared data."""
import argparse
import base64
import json
import os
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path

try:
    from tokenizers import Tokenizer
except ImportError as error:
    print(f"skipped: tokenizers cannot be imported ({error}); install it for the interpreter of XLRM_PEER_PYTHON")
    sys.exit(77)

import tokenizer_fuzz_files

WORDS = ("the The THE it's IT'S don't We've I'D quick_brown fox's niño nin\u0303o é e\u0301 ÉTÉ été nfd ſ 'ſ ’s İstanbul ΣΑΣ straße ﬁne ½ ² ①Ⅷ … "
         "서울은 한국어 안녕 \u1112\u1161\u11ab \u1100\u1161 北京是中国 東京タワー ひらがな ｶﾀｶﾅ ภาษาไทย हिन्दी क्षि العربية شلوم עולם Привет Ελλάδα ქართული ꙮ "
         "👩‍👩‍👧‍👦 👍🏽 🇰🇷🇮🇹 ☃️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 1234567 3.14 १२३ ١٢٣ ๔๕ 𝟘𝟙 ２０ word sword x xx https://a.b/c?d=e#f {\t\treturn } ... ,.!?;: -- ___ \u2581 \u2581\u2581a "
         "a\u200db \ufeff \u00ad \u202e \u180e <0x41> <0xE2> <unk> ## 'll 'LL \u0149 K Å").split(" ")
BLANKS = ["", " ", " ", " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\r", "\u0085", "\u00a0", "\u3000", "\u2028", "\u2029", "\u2003", "\x0b", "\x0c", "\x1c", "\u200b"]
RANGES = [(0x20, 0x7F), (0x00, 0x20), (0x7F, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE80), (0x1100, 0x1200), (0x1E00, 0x2100),
          (0x2100, 0x2C00), (0x3000, 0x3200), (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0xF900, 0xFB50), (0xFB50, 0x10000), (0x1D400, 0x1D800),
          (0x1F300, 0x1FA00), (0x20000, 0x20100), (0x10D40, 0x10F00), (0x2EBF0, 0x32400), (0x11000, 0x12000), (0x1E000, 0x1E700), (0xE0000, 0xE0200), (0x0, 0x110000)]


def code_point(draw):
    while True:
        low, high = draw.choice(RANGES)
        code = draw.randrange(low, high)
        if not 0xD800 <= code < 0xE000:
            return chr(code)


def random_text(draw, special):
    text = ""
    for _ in range(draw.choice([0, 1, 1, 2, 3, 5, 8, 13, 30])):
        kind = draw.random()
        if kind < 0.40:
            text += draw.choice(WORDS)
        elif kind < 0.55:
            text += "".join(code_point(draw) for _ in range(draw.randrange(1, 6)))
        elif kind < 0.65 and special:
            token = draw.choice(special)
            text += token if draw.random() < 0.8 else token[: draw.randrange(1, len(token) + 1)]
        elif kind < 0.72:
            text += draw.choice(BLANKS + ["a", "é", "=", "0", "한", "👍"]) * draw.randrange(1, draw.choice([4, 20, 150]))
        elif kind < 0.80:
            text += unicodedata.normalize(draw.choice(["NFD", "NFKD", "NFC"]), draw.choice(WORDS))
        else:
            text += "".join(draw.choice("abcdefgh ABC019.,'_-") for _ in range(draw.randrange(1, 30)))
        if draw.random() < 0.6:
            text += draw.choice(BLANKS)
    return text


def ours(tool, file, texts):
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    result = subprocess.run([tool, "ids", str(file)], input=lines, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{file}: {result.stderr}")
    return [json.loads(line) for line in result.stdout.split("\n")[:-1]]


def compare(tool, name, file, texts):
    theirs = Tokenizer.from_file(str(file))
    theirs.no_truncation()
    theirs.no_padding()
    bad = []
    for text, (ids, decoded) in zip(texts, ours(tool, file, texts), strict=True):
        expected = theirs.encode(text).ids
        if ids != expected:
            bad.append(f"{text!r}\n    {ids}\n    {expected} expected")
        elif decoded != theirs.decode(ids, skip_special_tokens=False):
            bad.append(f"{text!r} decodes to\n    {decoded!r}\n    {theirs.decode(ids, skip_special_tokens=False)!r} expected")
    print(f"{name}: {len(texts)} texts, {len(bad)} differ", flush=True)
    for row in sorted(bad, key=len)[:3]:
        print("  " + row)
    return len(bad)


def scan_files():
    """Tokenizers whose ids show what one part makes of a text: bytes, without merges."""
    files = tokenizer_fuzz_files
    vocab = {piece: i for i, piece in enumerate(["<unk>", *files.BYTES])}
    model = files.empty_bpe() | {"unk_token": "<unk>", "byte_fallback": True, "vocab": vocab}
    for form in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"):
        yield form, files.whole(model, {"type": form}, None, None)
    classes = [r"\p{L}", r"\p{N}", r"\p{M}", r"\p{P}", r"\p{S}", r"\p{Lu}", r"\p{Ll}", r"\p{Lt}", r"\p{Lm}", r"\p{Lo}", r"\p{Nd}", r"\s", r"\w", r"\d", r"\p{Han}",
               r"\p{Hiragana}", r"[^\s\p{L}\p{N}]", r"[^\r\n\p{L}\p{P}\p{S}]", "(?i:[a-z])", "'(?i:s|t|re|ve|m|ll|d)"]
    for name in classes:
        yield f"class {name}", files.whole(model, None, files.split(name, "Removed"), None)
    yield "WhitespaceSplit", files.whole(model, None, {"type": "WhitespaceSplit"}, None)
    for kind in ("Whitespace", "BertPreTokenizer"):  # an apostrophe goes where it is a word
        yield kind, files.whole(model, None, files.pre({"type": kind}, files.split(r"\A'\z", "Removed")), None)
    lone = files.numbered([files.added("'", single_word=True)], vocab)
    yield "single word", files.whole(model, None, None, None, None, lone)
    yield "Digits", files.whole(model, None, files.pre({"type": "Digits", "individual_digits": True}, files.split(r"\A[^a']\z", "Removed")), None)
    yield "Punctuation", files.whole(model, None, {"type": "Punctuation", "behavior": "Removed"}, None)


def around(codes):
    return "".join(f"a{chr(c)}'{chr(c)}" for c in codes)


def scan(tool, folder, only):
    """Every code point between letters and behind an apostrophe; returns how many differ."""
    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    blocks = [codes[i:i + 128] for i in range(0, len(codes), 128)]
    total = 0
    for name, content in scan_files():
        if only not in name:
            continue
        file = folder / "scan.json"
        file.write_text(json.dumps(content))
        theirs = Tokenizer.from_file(str(file))
        found = ours(tool, file, [around(block) for block in blocks])
        suspects = [c for block, mine in zip(blocks, found, strict=True) if mine[0] != theirs.encode(around(block)).ids for c in block]
        found = ours(tool, file, [around([c]) for c in suspects])
        bad = [c for c, mine in zip(suspects, found, strict=True) if mine[0] != theirs.encode(around([c])).ids]
        ranges = []
        for c in bad:
            if ranges and ranges[-1][1] == c - 1:
                ranges[-1][1] = c
            else:
                ranges.append([c, c])
        print(f"scan {name}: {len(bad)} code points differ " + " ".join(f"{a:X}-{b:X}" if a < b else f"{a:X}" for a, b in ranges), flush=True)
        total += len(bad)
    return total


def charsmap_of(shared):
    model = shared / "tokenizers/chinese_llama_sp/tokenizer.model"
    if not model.exists():
        return None
    try:
        from sentencepiece import sentencepiece_model_pb2 as proto
    except ImportError:
        return None
    message = proto.ModelProto()
    message.ParseFromString(model.read_bytes())
    return base64.b64encode(message.normalizer_spec.precompiled_charsmap).decode()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--strings", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scan", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    shared = Path(os.environ.get("XLRM_SHARED", Path(__file__).parents[2].parent / "shared")) / "data"
    differences = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if options.scan:
            sys.exit(1 if scan(options.tool, folder, options.only) else 0)
        files = [(file.parent.name if file.name == "tokenizer.json" else file.stem, file) for file in options.files]
        if not files:
            made = [*tokenizer_fuzz_files.of_models(), *tokenizer_fuzz_files.with_borders(), *tokenizer_fuzz_files.of_features(charsmap_of(shared))]
            for i, (name, content) in enumerate(made):
                file = folder / f"{i}.json"
                file.write_text(json.dumps(content, ensure_ascii=False))
                files.append((f"made {name}", file))
            if (shared / "tokenizers").exists():
                files += [(file.parent.name, file) for file in sorted((shared / "tokenizers").glob("*/tokenizer.json"))]
        for name, file in files:
            if options.only not in name:
                continue
            draw = random.Random(f"{name} {options.seed}")
            special = [token["content"] for token in json.loads(file.read_text(encoding="utf-8"))["added_tokens"]]
            texts = [random_text(draw, special) for _ in range(options.strings)]
            differences += compare(options.tool, name, file, texts)
    sys.exit(1 if differences else 0)


main()
