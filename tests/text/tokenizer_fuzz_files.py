"""Small tokenizers with the pipelines of published ones, made with Hugging Face's tokenizers: the parts of tokenizer.json as the
published files have them, around a small vocabulary trained here."""
import json
import random

from tokenizers import Tokenizer, trainers
from tokenizers.pre_tokenizers import ByteLevel

CORPUS = [
    "The quick brown fox jumps over the lazy dog. It's 1234 o'clock, they'll come at 10:30! We've seen him; I'd say she's right.",
    "El niño comió una manzana; ¿cuándo vendrá la señora? ¡Mañana! Perché la città è più bella in primavera.",
    "서울은 대한민국의 수도이다. 한국어 문장을 나눈다. 안녕하세요! 北京是中国的首都。今天天气很好，我们去公园吧。",
    "東京タワーへ行きました。ひらがなとカタカナ。ภาษาไทยไม่มีช่องว่าง हिन्दी में लिखा हुआ वाक्य العربية لغة جميلة שלום עולם Привет, мир! Ελλάδα",
    "for (int i = 0; i < 10; ++i) {\n\treturn  x[i] + 42;\r\n}\n\n    def f(self):\n        pass\n",
] * 3
GPT4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
QWEN = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+"
          r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
DEEPSEEK_V3 = (r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|"
               r"\s+(?!\S)|\s+")
KIMI = (r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
        r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level(use_regex=True, add_prefix_space=False, trim_offsets=True):
    return {"type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets, "use_regex": use_regex}


def split(pattern, behavior="Isolated", invert=False, kind="Regex"):
    return {"type": "Split", "pattern": {kind: pattern}, "behavior": behavior, "invert": invert}


def pre(*parts):
    return {"type": "Sequence", "pretokenizers": list(parts)}


def normal(*parts):
    return {"type": "Sequence", "normalizers": list(parts)}


def replace(pattern, content, kind="String"):
    return {"type": "Replace", "pattern": {kind: pattern}, "content": content}


def metaspace(scheme="always", split_words=True, replacement="▁"):
    return {"type": "Metaspace", "replacement": replacement, "prepend_scheme": scheme, "split": split_words}


def decoders(*parts):
    return {"type": "Sequence", "decoders": list(parts)}


def added(content, **flags):
    return {"content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}


def template(tokens, single):
    """`single`: token texts, and None for the sequence."""
    parts = [{"Sequence": {"id": "A", "type_id": 0}} if t is None else {"SpecialToken": {"id": t, "type_id": 0}} for t in single]
    return {"type": "TemplateProcessing", "single": parts, "pair": parts + [{"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [tokens[t]], "tokens": [t]} for t in single if t is not None}}


def whole(model, normalizer, pre_tokenizer, decoder, post_processor=None, added_tokens=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added_tokens), "normalizer": normalizer,
            "pre_tokenizer": pre_tokenizer, "post_processor": post_processor, "decoder": decoder, "model": model}


def empty_bpe():
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None, "fuse_unk": False,
            "byte_fallback": False, "ignore_merges": False, "vocab": {}, "merges": []}


def numbered(tokens, vocab):
    """Added tokens with ids, those that the vocabulary lacks behind it."""
    rows, free = [], len(vocab)
    for token in tokens:
        known = vocab.get(token["content"])
        rows.append({"id": free if known is None else known, **token})
        free += known is None
    return sorted(rows, key=lambda row: row["id"])


def bytes_bpe(pre_tokenizer, normalizer=None, tokens=(), around=None, size=700, **options):
    trained = Tokenizer.from_str(json.dumps(whole(empty_bpe(), normalizer, pre_tokenizer, None)))
    trained.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=size, initial_alphabet=ByteLevel.alphabet(), show_progress=False))
    model = json.loads(trained.to_str())["model"] | options
    rows = numbered([added("<|endoftext|>"), added("<|im_start|>"), *tokens], model["vocab"])
    ids = {row["content"]: row["id"] for row in rows}
    return whole(model, normalizer, pre_tokenizer, byte_level(), template(ids, around) if around else byte_level(), rows)


BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def pieces_bpe(normalizer, pre_tokenizer, decoder, tokens=(), around=("<s>", None), fallback=True, size=900, **options):
    """Byte fallback behind a small alphabet, as sentencepiece's models are converted."""
    named = ["<unk>", "<s>", "</s>"] + (BYTES if fallback else [])
    trained = Tokenizer.from_str(json.dumps(whole(empty_bpe(), normalizer, pre_tokenizer, None)))
    # Words, so that the trainer makes no piece of a whole sentence.
    texts = [word for line in CORPUS for word in line.replace(" ", "\0 ").split("\0")]
    trainer = trainers.BpeTrainer(vocab_size=size, limit_alphabet=90, special_tokens=named, show_progress=False)
    trained.train_from_iterator(texts, trainer)
    model = json.loads(trained.to_str())["model"] | {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": fallback} | options
    rows = numbered([added("<unk>"), added("<s>"), added("</s>"), *tokens], model["vocab"])
    ids = {row["content"]: row["id"] for row in rows}
    return whole(model, normalizer, pre_tokenizer, decoder, template(ids, around) if around else None, rows)


def unigram(normalizer, pre_tokenizer, decoder, fallback, tokens=(), size=400):
    trained = Tokenizer.from_str(json.dumps(whole({"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0]], "byte_fallback": False}, normalizer,
                                                  pre_tokenizer, None)))
    named = ["<unk>", "<s>", "</s>", "<pad>"] + (BYTES if fallback else [])
    trained.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=size + len(named), special_tokens=named, unk_token="<unk>", show_progress=False))
    model = json.loads(trained.to_str())["model"]
    # Some letters leave, so that unknown ones occur.
    model["vocab"] = [row for row in model["vocab"] if len(row[0]) > 1 or row[0] not in "zqñ京語"]
    model["byte_fallback"] = fallback
    vocab = {row[0]: i for i, row in enumerate(model["vocab"])}
    rows = numbered([added("<unk>"), added("<s>"), added("</s>"), added("<pad>"), *tokens], vocab)
    return whole(model, normalizer, pre_tokenizer, decoder, template(vocab, [None, "</s>"]), rows)


def dense(content, seed):
    """Any two neighbouring bytes merge, so that each border between words shows in the ids."""
    draw = random.Random(seed)
    letters = sorted(ByteLevel.alphabet())
    pairs = [(a, b) for a in letters for b in letters]
    draw.shuffle(pairs)
    vocab = {piece: i for i, piece in enumerate([*letters, *(a + b for a, b in pairs)])}
    rows = numbered([{k: v for k, v in row.items() if k != "id"} for row in content["added_tokens"]], vocab)
    return content | {"model": content["model"] | {"vocab": vocab, "merges": [list(pair) for pair in pairs], "ignore_merges": False},
                      "added_tokens": rows, "post_processor": None}


LLAMA2_NORMALIZER = normal({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁"))
LLAMA2_DECODER = decoders(replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0})
GEMMA_DECODER = decoders(replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"})
PHI_TOKENS = [added(f"<|{name}|>", rstrip=True) for name in ("assistant", "end", "system", "user", "placeholder1")]


def of_models():
    """Pipelines of published decoders."""
    blanks = [added(" " * n, normalized=True, special=False) for n in range(24, 1, -1)]
    yield "gpt-2", bytes_bpe(byte_level(add_prefix_space=False))
    yield "llama-3", bytes_bpe(pre(split(GPT4), byte_level(False)), around=("<|endoftext|>", None), ignore_merges=True)
    yield "cl100k", bytes_bpe(pre(split(CL100K), byte_level(False)))
    yield "qwen2.5", bytes_bpe(pre(split(QWEN), byte_level(False)), {"type": "NFC"}, [added("<tool_call>", special=False)])
    yield "starcoder", bytes_bpe(pre({"type": "Digits", "individual_digits": True}, byte_level()), tokens=[added("<fim_prefix>")])
    yield "falcon", bytes_bpe(pre({"type": "Punctuation", "behavior": "Contiguous"}, byte_level(),
                                  {"type": "Digits", "individual_digits": False}, split("[0-9][0-9][0-9]")))
    yield "mpt", bytes_bpe(byte_level(), {"type": "NFC"}, [added("<|padding|>"), *blanks])
    yield "deepseek-llm", bytes_bpe(
        pre(split("[\r\n]"), split(r"\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-Ֆა-ჿᏽᲀ-ᲈᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕℂℇℊ-ℓℕℙ-ℝK-ℭꙀ-ꙭﬀ-ﬆＡ-Ｚａ-ｚ𐐀-𐑏𞤀-𞥃]+"),
            split(r"\s?[!-/:-~！-／：-～‘-‟　-。]+"), split(r"\s+$"), split("[一-龥ࠀ-一가-퟿]+"), {"type": "Digits", "individual_digits": True},
            byte_level(False)))
    yield "deepseek-v3", bytes_bpe(pre(split(r"\p{N}{1,3}"), split("[一-龥぀-ゟ゠-ヿ]+"), split(DEEPSEEK_V3), byte_level(False)),
                                   normal(), around=("<|endoftext|>", None))
    yield "tekken", bytes_bpe(pre(split(TEKKEN), byte_level(False)), around=("<|endoftext|>", None), ignore_merges=True)
    yield "o200k", bytes_bpe(pre(split(O200K), byte_level(False)))
    yield "kimi", bytes_bpe(pre(split(KIMI), byte_level(False)))
    yield "olmo", bytes_bpe(byte_level(), {"type": "NFC"}, [added("|||IP_ADDRESS|||", special=False), *blanks])
    yield "bloom", bytes_bpe(pre(split(r" ?[^(\s|[.,!?…。，、।۔،])]+"), byte_level(False)))
    yield "llama-2", pieces_bpe(LLAMA2_NORMALIZER, None, LLAMA2_DECODER)
    yield "llama-2-metaspace", pieces_bpe(None, metaspace("first", False), LLAMA2_DECODER)
    yield "mistral-v1", pieces_bpe(LLAMA2_NORMALIZER, None, LLAMA2_DECODER)
    yield "mistral-v3", pieces_bpe(None, metaspace("first", False), LLAMA2_DECODER, [added("[INST]"), added("[/INST]")])
    yield "gemma-2", pieces_bpe(replace(" ", "▁"), split(" ", "MergedWithPrevious", kind="String"), GEMMA_DECODER,
                                [added("<start_of_turn>"), added("<end_of_turn>"), *[added("\n" * n, special=False) for n in range(2, 6)],
                                 *[added("▁" * n, special=False) for n in range(2, 6)]])
    yield "phi-3.5", pieces_bpe(LLAMA2_NORMALIZER, None, LLAMA2_DECODER, [added("<|endoftext|>"), *PHI_TOKENS], around=None)
    yield "yi", pieces_bpe(replace(" ", "▁"), None, LLAMA2_DECODER, [added("<|im_start|>")], around=None)


def with_borders():
    for name, content in of_models():
        if content["decoder"]["type"] == "ByteLevel":
            yield f"{name}, borders", dense(content, name)


def of_features(charsmap):
    """What the pipelines above leave out."""
    plain = decoders({"type": "ByteFallback"}, {"type": "Fuse"})
    for behavior in ("Removed", "Isolated", "Contiguous", "MergedWithPrevious", "MergedWithNext"):
        for invert in (False, True):
            yield f"split {behavior} {invert}", bytes_bpe(pre(split(r"[aeiou\s]|\d{2}|(?=x)", behavior, invert), byte_level(False)), size=400)
    yield "prefix space", bytes_bpe(byte_level(True, True), tokens=[added("word", normalized=True, single_word=True, special=False)], size=400)
    yield "byte level twice", bytes_bpe(pre(byte_level(True, True), byte_level(True)), size=400)
    yield "byte normalizer", bytes_bpe(split("Ġ", "MergedWithNext", kind="String"), {"type": "ByteLevel"}, size=400)
    words = {"Whitespace": {"type": "Whitespace"}, "WhitespaceSplit": {"type": "WhitespaceSplit"}, "BertPreTokenizer": {"type": "BertPreTokenizer"},
             "CharDelimiterSplit": {"type": "CharDelimiterSplit", "delimiter": "."}, "Punctuation": {"type": "Punctuation", "behavior": "MergedWithNext"},
             "Digits": {"type": "Digits", "individual_digits": False}, "Metaspace": metaspace(), "Metaspace never": metaspace("never"),
             "Metaspace first": pre({"type": "Punctuation", "behavior": "Isolated"}, metaspace("first", True, "_"))}
    for name, part in words.items():
        yield name, pieces_bpe(None, part, plain, size=600)
    forms = {name: {"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")}
    forms["Strip"] = {"type": "Strip", "strip_left": True, "strip_right": True}
    forms["Strip left"] = {"type": "Strip", "strip_left": True, "strip_right": False}
    forms["Replace"] = normal(replace(r"\s{2,}|e(?=.)", "é", "Regex"), replace("...", "…"), replace(r"^x*", "", "Regex"))
    forms["accents"] = normal({"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "NFKC"})
    for name, part in forms.items():
        tokens = [added("ÉTÉ", normalized=True, special=False), added("<mask>", lstrip=True), added("nfd é", normalized=True, special=False, rstrip=True)]
        yield f"normal {name}", pieces_bpe(part, None, plain, tokens, size=600)
    yield "unknown", pieces_bpe(None, {"type": "WhitespaceSplit"}, None, fallback=False, fuse_unk=False, size=300)
    yield "unknown fused", pieces_bpe(None, None, {"type": "Fuse"}, fallback=False, size=300)
    partial = pieces_bpe(None, None, plain, size=600)
    for byte in ("<0xE2>", "<0xC3>"):  # some characters have no bytes, and are unknown
        partial["model"]["vocab"][byte + " "] = partial["model"]["vocab"].pop(byte)
    yield "unknown among bytes", partial
    affixes = bytes_bpe(byte_level(), size=400)
    rename = lambda piece: piece + "</w>"
    model = affixes["model"]
    model["vocab"] |= {rename(piece): len(model["vocab"]) + i for i, piece in enumerate(list(model["vocab"]))}
    model["merges"] += [[left, rename(right)] for left, right in model["merges"]]
    affixes["added_tokens"] = []
    yield "word suffix", affixes | {"model": model | {"end_of_word_suffix": "</w>", "unk_token": "a"}, "post_processor": None,
                                    "decoder": {"type": "BPEDecoder", "suffix": "</w>"}}
    t5 = pre({"type": "WhitespaceSplit"}, metaspace())
    meta = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    yield "unigram", unigram(None, metaspace(), meta, False)
    yield "unigram bytes", unigram(replace(" ", "▁"), None, GEMMA_DECODER, True)
    if charsmap:
        precompiled = {"type": "Precompiled", "precompiled_charsmap": charsmap}
        yield "t5", unigram(precompiled, t5, meta, False, [added(f"<extra_id_{i}>") for i in range(3)])
        yield "xlm-r", unigram(normal(precompiled, replace(" {2,}", " ", "Regex")), t5, meta, False, [added("<mask>", lstrip=True)])
        yield "marian", unigram(normal({"type": "Nmt"}, {"type": "NFKC"}, precompiled), metaspace("first"), meta, True)
    roberta = bytes_bpe(byte_level(True, True), size=400)
    yield "roberta", roberta | {"post_processor": {"type": "RobertaProcessing", "sep": ["b", 66], "cls": ["a", 65], "trim_offsets": True, "add_prefix_space": True}}
    yield "bert post", roberta | {"post_processor": {"type": "Sequence", "processors": [byte_level(), {"type": "BertProcessing", "sep": ["b", 66], "cls": ["a", 65]}]}}
    yield "wordpiece decoder", pieces_bpe(None, {"type": "WhitespaceSplit"}, {"type": "WordPiece", "prefix": "a", "cleanup": True}, size=600)
