"""The graph model, which names a photo's defect: multi-scale features, a graph of nodes and edges, and what it says.

[A] is in the abstract of Jia and Wei, *Perceptual no-reference image quality assessment with meta-learning by graph
representation learning and multi-scale feature fusion*, PLoS ONE 21(6):e0351549, 2026; [G] is published with GraphIQA
(Sun et al., IEEE Transactions on Multimedia, 2022), which its graph follows; [I] is inferred here.
"""
