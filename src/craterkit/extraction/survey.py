"""A survey: rasters opened and checked, and walked one after the other, here or on a cluster."""

from __future__ import annotations

import time
import warnings
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from craterkit.cluster.workers import open_cluster
from craterkit.errors import OutsideRasterWarning, UnreadableWarning
from craterkit.extraction.cluster_walk import walk_on_cluster
from craterkit.extraction.companions import open_companions
from craterkit.extraction.setting import Setting
from craterkit.extraction.sources import open_sources
from craterkit.extraction.walk import Interruption, walk
from craterkit.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from craterkit.extraction.execution import Execution
    from craterkit.extraction.options import Options
    from craterkit.extraction.plan import Chunk, Plan
    from craterkit.extraction.setting import MakeWorker
    from craterkit.extraction.sources import Source
    from craterkit.extraction.subject import Subject

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.intp]

__all__ = ["Survey"]

#: Rasters that a message names one by one.
NAMED = 3

#: Seconds after which it is looked again, at the latest, whether files have changed.
CHECK_SECONDS = 5.0


class Survey:
    """Rasters and a subject whose pixels are wanted; a context within which the work is done.

    Everything is checked before a pixel is read: every raster's body, CRS and grid.

    Parameters
    ----------
    subject : Subject
        Whose pixels are wanted.
    rasters : object
        The rasters as a user gives them.
    options : Options
        Which pixels, and how they are read.
    execution : Execution
        How the work is done.
    description : str
        What the progress bar is labelled.
    patient : bool, default True
        Whether Ctrl-C waits for the blocks in hand.
    sources : sequence of Source, optional
        The rasters, already opened and checked, instead of `rasters`.
    walks : int, optional
        How often the ROIs are walked through; by default once for each raster.

    Attributes
    ----------
    sources : sequence of Source
        The rasters.
    """

    def __init__(
        self,
        subject: Subject,
        rasters: object,
        options: Options,
        execution: Execution,
        description: str,
        *,
        patient: bool = True,
        sources: Sequence[Source] | None = None,
        walks: int | None = None,
    ) -> None:
        self.subject = subject
        self.options = options
        self.execution = execution
        self.sources = open_sources(subject.body, rasters, options) if sources is None else sources
        self._companions = open_companions(subject.body, options)
        for source in self.sources:
            self._companions.check(source.grid)
        if execution.on_cluster:
            options.by_name()
            for source in self.sources:
                source.spec.by_name()
        total = len(subject) * (len(self.sources) if walks is None else walks)
        self._progress = Progress(total, description, show=execution.progress)
        self._interruption = Interruption()
        self._patient = patient
        self._client: Any = None
        self._checked = time.monotonic()
        self._stack = ExitStack()

    def __enter__(self) -> Survey:
        with ExitStack() as stack:
            if self.execution.on_cluster:
                self._client = stack.enter_context(open_cluster(self.execution))
            stack.enter_context(self._companions)
            stack.enter_context(self._progress)
            if self._patient:
                stack.enter_context(self._interruption)
            stack.push(self._check_at_end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: Any) -> None:  # noqa: ANN401
        self._stack.__exit__(*exception)

    def _check_at_end(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise if a file of a raster has changed meanwhile, so that results may be of both.

        Raises
        ------
        RasterChangedError
            Names the raster and the file.
        """
        rasters = [*(source.raster for source in self.sources), *self._companions.rasters]
        for raster in {id(raster): raster for raster in rasters}.values():
            raster.check_unchanged()
        self._checked = time.monotonic()

    def settings(self) -> Iterator[Setting]:
        """The ROIs on each raster's grid."""
        before = None
        for source in self.sources:
            before = self.setting([source], before)
            yield before

    def setting(self, sources: Sequence[Source], before: Setting | None = None) -> Setting:
        """The ROIs on the grid that some rasters share; `before` may have what serves again."""
        return Setting.of(
            self.subject, sources, self._companions, self.options, self.execution.budget, before
        )

    def results(
        self,
        setting: Setting,
        plan: Plan,
        make: MakeWorker,
        only: Ints | None = None,
        alone: Ints | None = None,
        *,
        part_pixels: int | None = None,
        bands: slice = slice(None),
        here: bool = False,
    ) -> Iterator[tuple[Chunk, Any]]:
        """What a worker finds in the chunks of a plan, in order.

        Parameters
        ----------
        setting : Setting
            The ROIs on the rasters' grid.
        plan : Plan
            How these are walked.
        make : callable
            Makes the worker.
        only : ndarray of int, optional
            Only these ROIs.
        alone : ndarray of int, optional
            ROIs whose pixels are not to be kept.
        part_pixels : int, optional
            How many pixels of ROIs a result may have; chunks with more give several.
        bands : slice, optional
            Only these bands.
        here : bool, default False
            Whether the work is done in this process even if there is a cluster.

        Raises
        ------
        KeyboardInterrupt
            After the blocks in hand, if Ctrl-C was pressed.
        """
        chunks = plan.chunks(only, alone)

        def parts(chunk: Chunk) -> Iterator[Chunk]:
            if part_pixels is None:
                yield chunk
            else:
                yield from chunk.parts(plan.rows, part_pixels)

        with ExitStack() as stack:
            if self._client is None or here:
                stack.enter_context(setting.open())
                results = walk(
                    setting.job(make, bands),
                    chunks,
                    self.execution.budget,
                    self._interruption,
                    parts,
                )
            else:
                results = walk_on_cluster(
                    self._client, setting, make, chunks, self._interruption, part_pixels
                )
            window = None
            for chunk, result in results:
                if time.monotonic() - self._checked > CHECK_SECONDS:
                    self.check_unchanged()
                yield chunk, result
                again = chunk.window == window
                window = chunk.window
                pixels = 0 if again else sum(part.shape[0] * part.shape[1] for part in chunk.reads)
                self._progress.advance(int((chunk.ends & chunk.kept).sum()), pixels)
        if self._interruption.asked:
            raise KeyboardInterrupt

    def advance(self, rois: int) -> None:
        """Count ROIs that were finished otherwise."""
        self._progress.advance(rois, 0)

    def warn_of_outside(self, outside_of: Sequence[Bools], *, stacklevel: int) -> None:
        """Warn once of ROIs that the rasters do not reach."""
        counts = self._counted(outside_of)
        if counts:
            total, text = counts
            warnings.warn(
                f"{'1 ROI lies' if total == 1 else f'{total} ROIs lie'} outside the raster, without any "
                f"pixels: {text}",
                OutsideRasterWarning,
                stacklevel=stacklevel + 1,
            )

    def warn_of_unread(self, unread_of: Sequence[Bools], *, stacklevel: int) -> None:
        """Warn once of ROIs that have pixels in blocks that could not be read."""
        counts = self._counted(unread_of)
        if counts:
            total, text = counts
            warnings.warn(
                f"{'1 ROI has' if total == 1 else f'{total} ROIs have'} pixels in blocks that could not "
                f"be read: {text}",
                UnreadableWarning,
                stacklevel=stacklevel + 1,
            )

    def _counted(self, which_of: Sequence[Bools]) -> tuple[int, str] | None:
        """How many ROIs, and of these for each raster, or rasters that have the same, and region."""
        size = len(self.subject.features)
        alike: dict[tuple[str, bytes], list[str]] = {}
        for source, which in zip(self.sources, which_of, strict=False):
            for number, region in enumerate(self.subject.regions):
                own = which[number * size : (number + 1) * size]
                if own.any():
                    names = alike.setdefault((region, own.tobytes()), [])
                    names.append(source.label or source.raster.name)
        if not alike:
            return None
        parts = [
            f"{np.frombuffer(own, np.bool_).sum()} of {size} for {region!r} on {_rasters(names)}"
            for (region, own), names in alike.items()
        ]
        return int(np.logical_or.reduce(list(which_of)).sum()), "; ".join(parts)


def _rasters(names: Sequence[str]) -> str:
    """Rasters as a message names them; several bands are of one."""
    different = list(dict.fromkeys(names))
    if len(different) <= NAMED:
        return ", ".join(different)
    return f"each of {len(different)} rasters ({different[0]} to {different[-1]})"
