"""The embedded services as a Dagster resource; `services` knows no Dagster, so that their process starts fast."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from resources.services import Addresses, ServicesError, join, listening


class EmbeddedServicesResource(dg.ConfigurableResource):
    """The embedded services of a data root, started at first use.

    Attributes:
        data_root: The folder they belong to.
    """

    data_root: str

    def addresses(self) -> Addresses:
        """Joins the services or starts them; they live at least as long as this process.

        Raises:
            dg.Failure: If they do not start, or run with other settings; trying again does not help.
        """
        try:
            return join(Path(self.data_root))
        except ServicesError as error:
            raise dg.Failure(str(error), allow_retries=False) from error

    def addresses_if_up(self) -> Addresses | None:
        """Where the services listen, None if they do not run; they are neither started nor kept up by it."""
        return listening(Path(self.data_root))
