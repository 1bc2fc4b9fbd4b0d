"""Kidney function by the two measures that drug labels use; they can disagree across a cut-off."""

MICROMOL_PER_MG_DL = 88.4
# Labels of bisphosphonates and of denosumab or romosozumab draw their lines here, in mL/min.
CUT_OFFS = (30.0, 35.0)


def creatinine_clearance(age_years: float, weight_kg: float, creatinine_umol_per_l: float, female: bool) -> float:
    """Creatinine clearance in mL/min by Cockcroft and Gault (1976), with the actual body weight.

    The formula was drawn from 249 men; bisphosphonate labels are written in it. It is not indexed to body surface.
    """
    creatinine_mg_per_dl = creatinine_umol_per_l / MICROMOL_PER_MG_DL
    clearance = (140 - age_years) * weight_kg / (72 * creatinine_mg_per_dl)
    return clearance * (0.85 if female else 1.0)


def estimated_gfr(age_years: float, creatinine_umol_per_l: float, female: bool) -> float:
    """eGFR in mL/min/1.73 m2 by CKD-EPI 2021 (no race term), for adults and an IDMS-traceable creatinine."""
    kappa, alpha, factor = (0.7, -0.241, 1.012) if female else (0.9, -0.302, 1.0)
    ratio = creatinine_umol_per_l / MICROMOL_PER_MG_DL / kappa
    return float(142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.200 * 0.9938**age_years * factor)


def measures_disagree(clearance: float, egfr: float) -> bool:
    """Whether one of the two measures lies below a label's cut-off and the other does not."""
    return any((clearance < cut_off) != (egfr < cut_off) for cut_off in CUT_OFFS)
