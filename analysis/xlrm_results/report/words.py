"""Numbers and reasons in words. A sentence is made from values of the analysis alone; nothing is computed here."""

#: What the reason codes of the analysis mean to a reader.
REASONS = {
    "no_items": "there are no items",
    "too_few_items": "there are fewer items than the estimator needs",
    "one_cluster": "there is one cluster of items, which shows no variation between clusters",
    "one_seed": "one seed shows no variation between seeds",
    "several_seeds": "the interval is for one seed, and there are several",
    "one_language": "it compares languages, and there is one",
    "one_model": "it compares models, and there is one",
    "missing_cell": "a cell that it compares is missing",
    "no_discordant_items": "both models are right and wrong on the same items",
    "no_variation": "all observations are equal",
    "at_chance": "the model that it is measured by is not above chance",
    "not_identified": "the observations do not determine it",
    "not_positive": "an estimate that must be positive is not",
    "fewer_items_than_features": "there are fewer items than features",
    "separable": "every margin is positive",
    "no_signal": "the mean margin is not positive",
    "no_rule": "the benchmark's rule has no such statistic",
    "no_head": "a base model has no reward head",
    "not_estimated": "no interval or null is made for this measure here",
    "not_comparable": "the models have no features in common, or it is the base itself",
    "too_many_items": "there are more items than an estimate of this cost is made for",
}


def reason(code):
    return REASONS.get(code, code.replace("_", " ") if code else "it was not computed")


def why_undefined(row, column):
    return reason(row["undefined"].get(column))


def minus(text):
    """A real minus sign; no sign before a zero."""
    return text.lstrip("+-") if not text.strip("+-0. %") else text.replace("-", "−")


def points(share, sign=True):
    return "–" if share is None else minus(format(100 * share, "+.1f" if sign else ".1f"))


def percent(share):
    return "–" if share is None else minus(format(100 * share, ".1f"))


def decimal(value, digits=3):
    return "–" if value is None else minus(format(value, f".{digits}f"))


def p_value(value):
    return "–" if value is None else "< 0.001" if value < 0.001 else format(value, ".3f")


def interval(row, column, show, begin=" (", end=")"):
    """ " (95 % interval 1.2 to 3.4)", or why there is none. begin, end: "; " and "" within brackets."""
    low, high = row.get(column + "_low"), row.get(column + "_high")
    if low is None or high is None:
        return f"{begin}no interval: {reason(row['undefined'].get(column + '_low'))}{end}"
    return f"{begin}95 % interval {show(low)} to {show(high)}{end}"


def listed(names, most=8):
    """ "a, b and c"; of many the first and how many more."""
    names = list(names)
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else "none"


def spaced(count, most):
    """At most `most` places of `count`, evenly spaced, the first and the last among them."""
    shown = min(most, count)
    return [place * (count - 1) // max(shown - 1, 1) for place in range(shown)]


def counted(number, what, many=None):
    return f"{number} {what if number == 1 else many or what + 's'}"
