"""Which tables and columns of analysis.h5 the report reads, and in which figure or sentence it uses them.

A table that is absent is named in the report as a part that was not computed. More columns than these do no harm. Columns of
statistics may be undefined (None in Table.rows); those marked ± come with <column>_low and <column>_high.

    table           columns                                                                                    used for
    headline        base benchmark category target english own gap± p_holm published family          figure 3, answers 2, 3
    accuracy        base benchmark category kind source target items accuracy±                       figures 1, 10
    gaps            base benchmark category kind source compared_with target gap± p_holm family detectable  figure 2, table
    seeds           base benchmark source target seeds accuracy lowest highest seed_sd item_se       table
    english_only    base benchmark target id occurrence subset                                                 answer 3, table
    calibration     base benchmark source seed target items nll brier ece temperature                answer 7, table
    baselines       base benchmark source target accuracy floor gain± longer_wins length_spearman    table
    pairs           base benchmark target seed first_source second_source kappa_correctness spearman p_holm  figure 12, answer 8
    languages       base benchmark source seed first_target second_target kappa_correctness spearman  figure 12, answer 8
    shift           model base benchmark source seed target layer estimator items value± noise_floor null  figure 4, answer 4
    layer_pairs     model base benchmark source seed target layer other_layer estimator value        figure 5
    language_pairs  model base benchmark source seed first_target second_target layer estimator value± null  figures 5, 7, 13, answer 5
    ratio           model base benchmark source seed layer variant items f± delta±                   figure 4, table, answer 4
    norms           model base benchmark source seed first_target second_target layer w1 ks          table
    subspace        model base benchmark source seed target rank accuracy accuracy_without           table, answer 5
    probe_transfer  base benchmark layer source target accuracy                                                figure 5 (probes), answer 5
    lens            model base benchmark source seed target layer median q25 q75 accuracy            figure 6
    crystallisation model base benchmark source seed target depth items left_out                               figure 6, answer 6
    geometry        base benchmark layer estimator r p languages permutations                        figure 13, answer 9
"""
