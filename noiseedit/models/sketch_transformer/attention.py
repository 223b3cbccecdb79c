"""The self-attention module: pre-norm transformer layers over the tokens of a feature map."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

MLP_RATIO = 4  # hidden width of the MLP, in token dimensions


class AttentionLayer(nn.Module):
    """``x + MSA(LN(x))``, then ``x + MLP(LN(x))`` with a GELU; no dropout.

    Args:
        dim: Length of a token.
        heads: Attention heads; must divide ``dim``.

    Shape:
        (N, tokens, dim) -> the same.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        if dim % heads:
            raise ValueError(
                f'SketchTransformer: heads must divide dim={dim}, got heads={heads}; '
                'dim is 8 * width unless set'
            )
        self.heads = heads
        self.norm_1 = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)
        self.norm_2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, MLP_RATIO * dim), nn.GELU(), nn.Linear(MLP_RATIO * dim, dim)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens, each having looked at all others."""
        x = x + self.attend(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))

    def attend(self, x: Tensor) -> Tensor:
        """Return ``softmax(q k' / sqrt(d)) v`` over all heads, projected."""
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in self.qkv(x).chunk(3, dim=2)
        )
        y = functional.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).flatten(2))


class SelfAttention(nn.Module):
    """Attention layers over a map whose pixels, row by row, are the tokens; then a layer norm.

    Equivariant to permutations of the pixels: places are known only by what the map holds.

    Args:
        dim: Channels of the map.
        layers: Attention layers.
        heads: Attention heads.

    Shape:
        (N, dim, h, w) -> the same.
    """

    def __init__(self, dim: int, layers: int, heads: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(AttentionLayer(dim, heads) for _ in range(layers)))
        self.norm = nn.LayerNorm(dim)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return the map after attention."""
        tokens = self.norm(self.layers(x.flatten(2).transpose(1, 2)))
        return tokens.transpose(1, 2).unflatten(2, x.shape[-2:])
