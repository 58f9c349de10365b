"""The experiments of the paper and this project's own, one a file, each one call from Python.

    leave_one_out       Table 2: learn from all distortion types but one, be judged on that one
    repeated_splits     Table 3: fine-tune on 80 % of a database, be judged on 20 %, again and again
    ablation            Table 4: MetaIQA against Baseline on the same splits
    parameter_study     Figure 4: the number of tasks k and of inner steps S
    adaptation_curve    how few labelled photos a prior needs
    prior               meta-training, or Baseline: makes a quality prior
    fine_tuning         makes a model of a prior
    joint_training      makes a model of several databases at once

An experiment is a generator: it yields `Progress` and returns its result. It works in a `RunFolder`; the same call in
the same folder goes on where it was. All share one loop over folds (`folds`) and one store of what a fold gave
(`results.fold_store`); those that make a model share its measurement and its card (`new_model`).
"""
