"""Trained encoders of the trigger chip, with their decoders."""

from __future__ import annotations

import warnings
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import numbers
from ._errors import RowError
from ._images import CELLS, LATENT, FileName, absolute, columns_of, image_or_images, request
from ._settings import flag, text, whole
from ._worker import Object, chunks

__all__ = ["Encoder"]

#: Columns that the conditions are made of, by all of their names.
_CONDITIONS = ("eta", "tc_eta", "layer", "waferu", "waferv", "wafertype", "type", "HD_LD")


class Encoder:
    """A trained encoder, with its decoder where the model has one.

    Examples
    --------
    >>> encoder = barrow.Encoder.load("runs/emd")  # doctest: +SKIP
    >>> latents = encoder.encode(images)  # doctest: +SKIP
    >>> decoded = encoder.decode(latents, sum=images["charge"].sum(axis=1))  # doctest: +SKIP
    """

    def __init__(self, model: Object) -> None:
        self._object = model
        self._info: Optional[Dict[str, Any]] = None

    @classmethod
    def load(cls, model: FileName, loss: Optional[str] = None, threads: int = 0) -> Encoder:
        """Open a trained encoder.

        Parameters
        ----------
        model : path
            Run folder, weights file, or a model of another program in any format that
            Barrow reads.
        loss : str, optional
            Which of a run folder's encoders, by the loss it was trained with.
        threads : int
            0 is all processors.

        Raises
        ------
        OSError
            A model that is not there, or cannot be read.
        ValueError
            A folder of several encoders without `loss`, or with a `loss` that none of its
            encoders was trained with; settings that are of another type.

        Warns
        -----
        UserWarning
            What is assumed of a model that does not say it.
        """
        params: Dict[str, Any] = {"model": absolute(model), "threads": whole("threads", threads, 0, 1 << 30)}
        if loss is not None:
            params["loss"] = text("loss", loss)
        encoder = cls(Object("encoder", params))
        encoder._object.open()
        if encoder.info["assumed"]:
            warnings.warn(encoder.info["assumed"], UserWarning, stacklevel=2)
        return encoder

    @property
    def info(self) -> Dict[str, Any]:
        """What the model is.

        ``kind`` and ``about`` in words; ``parts``, each with ``name``, ``inputs``,
        ``parameters``, ``multiplications`` and ``layers``; ``formats`` that can hold it, or why
        not; ``architecture``; and of its encoder ``normalisation``, ``latent_bits`` (0: floating
        point), ``conditions``, ``shape`` of its image and ``cells``: where each V9 cell lies in that;
        of the precision ``asic`` also ``widths``: how many bits of each output are sent.
        """
        if self._info is None:
            self._info = self._object.call("info").params
        return self._info

    def encode(self, images: Any) -> NDArray[np.float32]:
        """The outputs of the encoder: those that the chip or the network gives.

        Parameters
        ----------
        images : array (N, 48), or mapping with ``charge``; or one image, (48,)
            Charges in V9 order, any unit; CALQ counts for the precision ``asic``.

        Returns
        -------
        array (N, 16), or (16,), float32
            In units of the network: with number formats multiples of their step.

        Raises
        ------
        ValueError, EMDError
            Charges that are negative or no numbers, or an image without any.
        """
        charge, _, single = self._images(images)
        latent = np.empty((len(charge), LATENT), np.float32)
        for part in chunks(len(charge), 8 * CELLS, "images", 16 << 20):
            out = {"latent": ((part.stop - part.start, LATENT), "f4")}
            latent[part] = self._object.call(
                "encode", None, {"charge": (charge[part], "f8")}, out, row=part.start
            ).arrays["latent"]
        return latent[0] if single else latent

    def decode(
        self, latents: Any, sum: Any = None, columns: Optional[Mapping[str, Any]] = None, *, largest: Any = None
    ) -> NDArray[np.float64]:
        """The decoded images of an encoder's outputs.

        Parameters
        ----------
        latents : array (N, 16), or (16,)
            As :meth:`encode` returns them.
        sum : array (N,) or number, optional
            Sums of the images' charges, which are sent beside the outputs. Without them
            images are decoded as of sum 1.
        columns : mapping, optional
            The conditions of a conditional model: ``eta``, ``waferu``, ``waferv``, ``layer`` and
            ``wafertype`` or ``HD_LD`` (N,), as :func:`barrow.read` and :func:`barrow.simulate`
            have them. Such a model needs `sum`, too.
        largest : array (N,) or number, optional
            The images' largest charges, for a model of the normalisation ``max``, which
            divides by them.

        Returns
        -------
        array (N, 48), or (48,), float64
            Charges in V9 order, in the unit of `sum` or `largest`. With the right ones they
            are those of :meth:`autoencode`, to the bit.

        Raises
        ------
        ValueError
            Arrays that do not fit, sums that are not above 0; a condition that is missing;
            `largest` missing, or given to another model; a model without decoder.
        """
        latent = numbers(latents, "latents")
        single = latent.shape == (LATENT,)
        latent = np.atleast_2d(latent)
        if latent.ndim != 2 or latent.shape[1] != LATENT:
            raise ValueError(f"barrow: latents have the shape {latent.shape}: want (N, {LATENT})")
        n = len(latent)
        if sum is None and self.info.get("conditions"):
            raise ValueError("barrow: a conditional model decodes with the images' sums: give sum")
        total = _above_zero("sum", 1.0 if sum is None else sum, n)
        most = total if largest is None else _above_zero("largest", largest, n)
        if (largest is None) == (self.info.get("normalisation") == "max"):
            does = (
                "is of the normalisation max: give largest"
                if largest is None
                else "has another normalisation than max: leave largest out"
            )
            raise ValueError(f"barrow: the model {does}, the images' largest charges")
        # Images of these sums and largest charges; no normalisation leaves this cell out.
        charge = np.zeros((n, CELLS))
        charge[:, 1] = most
        if sum is not None and largest is not None:
            rest = (total - most) / (CELLS - 1)
            if not ((0 <= rest) & (rest <= most)).all():
                raise ValueError(
                    "barrow: largest does not go with sum: "
                    f"of {CELLS} charges the largest is between sum/{CELLS} and sum"
                )
            charge += rest[:, None]
            charge[:, 1] = most
        decoded = self._decoded("decode", charge, self._columns(columns or {}, n), latent)
        return decoded[0] if single else decoded

    def autoencode(self, images: Any) -> NDArray[np.float64]:
        """Encode and decode images, as ``barrow encoder eval`` does.

        Parameters
        ----------
        images : array (N, 48), or mapping with ``charge``; or one image, (48,)
            Charges in V9 order; of a conditional model a mapping with the columns that
            :meth:`decode` lists.

        Returns
        -------
        array (N, 48), or (48,), float64
            In the unit of the images.
        """
        charge, columns, single = self._images(images)
        decoded = self._decoded("autoencode", charge, columns, None)
        return decoded[0] if single else decoded

    def export(self, format: str, out: FileName, force: bool = False, verify: bool = False) -> List[str]:
        """Write the model for other programs, with test vectors and a README.

        Parameters
        ----------
        format : str
            One of the formats that :attr:`info` lists.
        out : path
            Folder to write into.
        force : bool
            Replace files that are there.
        verify : bool
            Run the test vectors through the files.

        Returns
        -------
        list of str
            The files.

        Raises
        ------
        ValueError
            A format that does not exist, or cannot hold the model.
        FileExistsError, OSError
            Files that are there, or cannot be written.
        """
        params = {
            "format": text("format", format),
            "out": absolute(out),
            "force": flag("force", force),
            "verify": flag("verify", verify),
        }
        files: List[str] = self._object.call("export", params).params["files"]
        return files

    def _images(self, images: Any) -> Tuple[Any, List[Tuple[str, str, Any]], bool]:
        """Charges of images, of a mapping the columns that conditions are made of, and whether it is one image."""
        charge, single = image_or_images(images)
        return charge, self._columns(images, len(charge)) if isinstance(images, Mapping) else [], single

    def _columns(self, columns: Mapping[str, Any], n: int) -> List[Tuple[str, str, Any]]:
        if not self.info.get("conditions"):
            return []
        return columns_of(columns, n, [name for name in columns if name in _CONDITIONS])

    def _decoded(
        self, method: str, charge: Any, columns: List[Tuple[str, str, Any]], latent: Any
    ) -> NDArray[np.float64]:
        decoded = np.empty((len(charge), CELLS))
        for part in chunks(len(charge), 8 * (2 * CELLS + LATENT + len(columns)), "images", 16 << 20):
            params, arrays = request(charge, columns, part)
            if latent is not None:
                arrays["latent"] = (latent[part], "f4")
            out = {"decoded": ((part.stop - part.start, CELLS), "f8")}
            decoded[part] = self._object.call(method, params, arrays, out, row=part.start).arrays["decoded"]
        return decoded

    def __repr__(self) -> str:
        return f"<barrow.Encoder: {self.info['kind']}, {self.info['file']}>"


def _above_zero(name: str, value: Any, n: int) -> Any:
    """A number for each of n rows, finite and above 0."""
    found = np.asarray(numbers(value, name), dtype=np.float64)
    if found.shape not in ((), (n,)):
        raise ValueError(f"barrow: {name} has the shape {found.shape}: want ({n},), as there are {n} rows of latents")
    found = np.broadcast_to(found, n)
    wrong = ~((found > 0) & (found < np.inf))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise RowError(f"barrow: {name} of row {row} is {found[row]}: want a number above 0", row)
    return found
