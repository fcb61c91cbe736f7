"""ctkSliderWidget, ctkDoubleSlider and ctkRangeWidget: numbers by slider and spin box."""

from typing import Any

from PySide6.QtCore import Property, QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSizePolicy, QSlider, QWidget

from standin.binding.classes import own_class
from standin.widgets.stored import stored

STEPS = 10_000  # positions of the slider over its whole range


class NumberWidget(QWidget):
    """Base: a slider with positions 0 … STEPS and what stands beside it."""

    def _changed(self) -> None:
        """Set the parts to what the properties say."""

    minimum = stored("minimum", float, 0.0, lambda self: self._changed())
    maximum = stored("maximum", float, 100.0, lambda self: self._changed())
    singleStep = stored("singleStep", float, 1.0, lambda self: self._changed())
    tickInterval = stored("tickInterval", float, 0.1)
    tracking = stored("tracking", bool, True)

    def position_of(self, value: float) -> int:
        """Slider position of a value."""
        span = self.maximum - self.minimum
        return round((value - self.minimum) / span * STEPS) if span > 0 else 0

    def value_of(self, position: int) -> float:
        """Value at a slider position."""
        return self.minimum + (self.maximum - self.minimum) * position / STEPS


@own_class("ctk.ctkSliderWidget")
class ctkSliderWidget(NumberWidget):
    """A slider and a spin box for one number."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setObjectName("standin_slider")
        self._slider.setRange(0, STEPS)
        self._box = QDoubleSpinBox(self)
        self._box.setObjectName("standin_spinbox")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        layout.addWidget(self._box)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self._box.setRange(0.0, 100.0)
        self._box.valueChanged.connect(self._on_box)
        self._slider.valueChanged.connect(self._on_slider)
        self._slider.sliderReleased.connect(self._on_released)

    pageStep = stored("pageStep", float, 10.0)
    decimals = stored("decimals", int, 2, lambda self: self._on_decimals())
    prefix = stored("prefix", str, "", lambda self: self._box.setPrefix(self._prefix))
    suffix = stored("suffix", str, "", lambda self: self._box.setSuffix(self._suffix))
    spinBoxVisible = stored(
        "spinBoxVisible", bool, True, lambda self: self._box.setVisible(self._spinBoxVisible)
    )
    tickPosition = stored("tickPosition", int, 0)
    synchronizeSiblings = stored("synchronizeSiblings", int, 0)
    spinBoxAlignment = stored("spinBoxAlignment", int, 0x84)
    popupSlider = stored("popupSlider", bool, False)
    invertedAppearance = stored("invertedAppearance", bool, False)
    invertedControls = stored("invertedControls", bool, False)

    def _changed(self) -> None:
        self._box.setRange(self.minimum, self.maximum)
        self._box.setSingleStep(self.singleStep)
        self._follow()

    def _follow(self) -> None:
        blocker = QSignalBlocker(self._slider)
        self._slider.setValue(self.position_of(self._box.value()))
        blocker.unblock()

    def _on_decimals(self) -> None:
        self._box.setDecimals(self.decimals)
        self.decimalsChanged.emit(self.decimals)

    def _on_box(self, value: float) -> None:
        self._follow()
        if not self.tracking:
            self.valueIsChanging.emit(value)
        if self.tracking or not self._slider.isSliderDown():
            self.valueChanged.emit(value)

    def _on_slider(self, position: int) -> None:
        self._box.setValue(self.value_of(position))

    def _on_released(self) -> None:
        if not self.tracking:
            self.valueChanged.emit(self._box.value())

    def _read_value(self) -> float:
        return self._box.value()

    def setValue(self, value: float) -> None:
        """Set the number; `valueChanged` comes if it differs."""
        self._box.setValue(value)

    value = Property(float, _read_value, setValue)

    def setDecimals(self, decimals: int) -> None:
        """Digits after the point."""
        self.decimals = decimals

    def setSpinBoxVisible(self, visible: bool) -> None:
        """Show the spin box."""
        self.spinBoxVisible = visible

    def reset(self) -> None:
        """Back to 0, or the minimum."""
        self.setValue(0.0)


@own_class("ctk.ctkDoubleSlider")
class ctkDoubleSlider(NumberWidget):
    """A slider for one number."""

    valueChanged = Signal(float)
    sliderMoved = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()
    rangeChanged = Signal(float, float)

    def __init__(self, *args: Any) -> None:
        super().__init__(next((value for value in args if isinstance(value, QWidget)), None))
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._slider.setObjectName("standin_slider")
        self._slider.setRange(0, STEPS)
        self._number = 0.0
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(lambda position: self.setValue(self.value_of(position)))
        self._slider.sliderPressed.connect(self.sliderPressed)
        self._slider.sliderReleased.connect(self.sliderReleased)

    def _changed(self) -> None:
        self.rangeChanged.emit(self.minimum, self.maximum)
        self.setValue(self._number)

    def _read_value(self) -> float:
        return self._number

    def setValue(self, value: float) -> None:
        """Set the number; `valueChanged` comes if it differs."""
        bounded = min(max(float(value), self.minimum), self.maximum)
        if bounded != self._number:
            self._number = bounded
            blocker = QSignalBlocker(self._slider)
            self._slider.setValue(self.position_of(bounded))
            blocker.unblock()
            self.valueChanged.emit(bounded)

    value = Property(float, _read_value, setValue)

    def setOrientation(self, orientation: Qt.Orientation) -> None:
        """Lying or standing."""
        self._slider.setOrientation(orientation)


@own_class("ctk.ctkRangeWidget")
class ctkRangeWidget(NumberWidget):
    """Two spin boxes for a lower and an upper number."""

    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    valuesChanged = Signal(float, float)
    rangeChanged = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._low, self._high = QDoubleSpinBox(self), QDoubleSpinBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for number, box in enumerate((self._low, self._high)):
            box.setObjectName(f"standin_spinbox{number}")
            box.setRange(0.0, 100.0)
            layout.addWidget(box)
        self._high.setValue(100.0)
        self._low.valueChanged.connect(lambda value: self._emit(self.minimumValueChanged, value))
        self._high.valueChanged.connect(lambda value: self._emit(self.maximumValueChanged, value))

    decimals = stored("decimals", int, 2, lambda self: self._changed())

    def _changed(self) -> None:
        for box in (self._low, self._high):
            box.setDecimals(self.decimals)
            box.setSingleStep(self.singleStep)
            box.setRange(self.minimum, self.maximum)

    def _emit(self, signal: Any, value: float) -> None:
        signal.emit(value)
        self.valuesChanged.emit(self._low.value(), self._high.value())

    minimumValue = Property(float, lambda self: self._low.value(), lambda self, v: self.setMinimumValue(v))
    maximumValue = Property(float, lambda self: self._high.value(), lambda self, v: self.setMaximumValue(v))

    def setMinimumValue(self, value: float) -> None:
        """Set the lower number, which pushes the upper one up."""
        self._high.setValue(max(value, self._high.value()))
        self._low.setValue(value)

    def setMaximumValue(self, value: float) -> None:
        """Set the upper number, which pushes the lower one down."""
        self._low.setValue(min(value, self._low.value()))
        self._high.setValue(value)

    def setValues(self, low: float, high: float) -> None:
        """Set both."""
        self._low.setValue(low)
        self._high.setValue(high)

    def setRange(self, low: float, high: float) -> None:
        """Set the bounds."""
        self.minimum, self.maximum = low, high
        self.rangeChanged.emit(low, high)
