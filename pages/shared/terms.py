"""Terms of the field, each explained in a sentence or two where it stands: as the help that appears on hover."""

TERMS = {
    "SROCC": "Spearman's rank correlation: do model and people put the photos into the same order? 1 is the same "
    "order, 0 is chance, -1 is upside down.",
    "PLCC": "Pearson's linear correlation between the model's scores and people's; 1 is a straight line.",
    "PLCC, fitted": "PLCC after a curve (a logistic function) was fitted between the model's scale and people's, as "
    "the Video Quality Experts Group does: it does not matter on what scale the model answers.",
    "KROCC": "Kendall's rank correlation: the share of pairs of photos in the right order, minus the share in the "
    "wrong one; 1 is perfect.",
    "RMSE": "Root of the mean squared difference between the model's scores and people's, both from 0 to 1; 0 is "
    "perfect.",
    "interval": "Range in which the number would lie in 95 of 100 such measurements on other photos of the same "
    "kind, by the bootstrap over photos.",
    "support set": "Images of a task that the inner steps learn from first (Eq. 4).",
    "query set": "Other images of the same task, which the inner steps learn from next (Eq. 7).",
    "k": "Number of tasks in a mini-batch: the outer step goes towards the mean of what k tasks have learned (Eq. 8).",
    "S": "Number of inner steps of Adam on the support set, and again on the query set (Eqs. 4 and 7).",
    "held out": "Kept away from training, and used for judging alone.",
}
"""Explanations by term."""
