"""MMEngine's visualizer, which loads matplotlib only when something is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
from mmengine.visualization import Visualizer as StockVisualizer

from noiseedit.registry import VISUALIZERS

DPI = 100.0  # matplotlib's default


@VISUALIZERS.register_module()
class Visualizer(StockVisualizer):
    """Log scalars, pictures and the config; make the figure for drawing on the first use."""

    ax_save: Any

    def _initialize_fig(self, fig_cfg: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        return None, SimpleNamespace(get_dpi=lambda: DPI), None

    def set_image(self, image: np.ndarray) -> None:
        """Choose the (H, W, 3) picture that is drawn on."""
        if self.ax_save is None:
            figure = super()._initialize_fig(self.fig_save_cfg)
            self.fig_save_canvas, self.fig_save, self.ax_save = figure
            self.dpi = self.fig_save.get_dpi()
        super().set_image(image)
