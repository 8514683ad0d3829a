"""The tables and columns of analysis.h5 that the report reads.

A table that is absent is named in the report as a part that was not computed. One that is there without a column named here was
written by another version: SchemaError. More tables and columns do no harm. Of a column with "±" there are also <column>_low and
<column>_high. Any statistic may be undefined (None in Table.rows).
"""

PLACE = "base benchmark "
MODEL = PLACE + "model source seed "

READS = {
    "headline": PLACE + "category target items english own gap± published p_holm",
    "accuracy": PLACE + "category kind source target items accuracy±",
    "gaps": PLACE + "category kind source target items gap± p_holm detectable",
    "additive": PLACE + "term language effect±",
    "seeds": PLACE + "source target seeds accuracy lowest highest seed_sd item_se",
    "english_only": PLACE + "target id subset",
    "calibration": PLACE + "source seed target items nll brier ece temperature",
    "baselines": PLACE + "source target accuracy floor gain± longer_wins length_spearman",
    "pairs": PLACE + "target seed first_source second_source kappa_correctness spearman",
    "languages": PLACE + "source seed first_target second_target kappa_correctness spearman",
    "shift": MODEL + "target capture layer items cosine relative norm cka± neighbours",
    "ratios": MODEL + "capture layer variant items f± change±",
    "alignment": MODEL + "capture layer first_target second_target items p_at_1 centred mexa margin cka±",
    "geometry": MODEL + "target capture layer norm_mean norm_w1 norm_ks anisotropy top3 effective_rank",
    "lens": MODEL + "target layer accuracy margin margin_25 margin_75",
    "crystallisation": MODEL + "target items excluded depth",
    "transfer_geometry": PLACE + "capture layer measure languages r p permutations",
    "crystallisation_layers": MODEL + "target layer reached items",
    "layer_pairs": MODEL + "target capture layer other_layer cka",
    "language_layer_pairs": MODEL + "first_target second_target capture layer other_layer cka",
    "similarity": MODEL + "comparison target capture layer scope measure kind value± null p",
    "noise_floor": PLACE + "capture layer cosine relative norm cka neighbours",
    "subspace": MODEL + "target rank accuracy accuracy_without accuracy_control",
    "subspace_alignment": MODEL + "capture layer first_target second_target p_at_1 p_at_1_without margin margin_without cka "
    "cka_without offset_share",
    "preference_directions": MODEL + "target capture layer head_cosine shift_head_cosine",
    "preference_pairs": MODEL + "capture layer first_target second_target cosine",
    "probe_transfer": PLACE + "capture layer source target accuracy control",
    "probes": MODEL + "capture layer task classes accuracy control",
    "token_lengths": PLACE + "target side items q25 q50 q75",
}


def columns_of(table):
    """Columns that the report reads of a table; [] of one that it does not know."""
    found = []
    for name in READS.get(table, "").split():
        found += [name] if not name.endswith("±") else [name[:-1], name[:-1] + "_low", name[:-1] + "_high"]
    return found


def missing_columns(table, columns):
    return [name for name in columns_of(table) if name not in columns]
