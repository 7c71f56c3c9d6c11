"""What a cluster in trouble comes to, and what cannot be sent to one: an error, and never a wait for ever."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import rasterio
from affine import Affine
from distributed import Client, LocalCluster
from rasterio.vrt import WarpedVRT

from craterkit.cluster import workers
from craterkit.errors import ArgumentError, ClusterError
from surveys import GRID, MEMORY, PATIENCE, database, held_median, wait_for, write_field

START = {"n_workers": 1, "threads_per_worker": 1, "silence_logs": logging.CRITICAL}


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    return write_field(tmp_path_factory.mktemp("rasters") / "field.tif")


@pytest.fixture(scope="module")
def client():
    """That of a cluster whose only worker is a thread of this process."""
    with (
        LocalCluster(processes=False, dashboard_address="127.0.0.1:0", **START) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture
def processes():
    """A cluster of one process that does not live long."""
    with LocalCluster(dashboard_address="127.0.0.1:0", **START) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(workers, "POLL", 0.05)
    monkeypatch.setattr(workers, "WITHOUT_WORKERS", 0.5)


@contextmanager
def meanwhile(folder, action):
    """Do something once a worker is held up by the statistic that this gives."""
    hold = folder / "hold"
    hold.write_text("-1")

    def act():
        wait_for(hold.with_name("held").exists)
        action()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield {"median": partial(held_median, hold)}
    finally:
        hold.unlink()
        thread.join(PATIENCE)


def test_workers_that_all_leave(processes, field, tmp_path):
    with (
        Client(processes) as client,
        meanwhile(tmp_path, lambda: processes.scale(0)) as stats,
        pytest.raises(ClusterError, match="the cluster has lost all its workers"),
    ):
        database().get_stats(field, "rim", stats, client=client, max_memory=MEMORY)


def test_workers_that_come_back(processes, field, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "WITHOUT_WORKERS", PATIENCE)

    def leave():
        processes.scale(0)
        wait_for(lambda: not client.nthreads())
        (tmp_path / "hold").write_text("1000")
        processes.scale(1)

    with Client(processes) as client, meanwhile(tmp_path, leave) as stats:
        found = database().get_stats(field, "rim", stats, client=client, max_memory=MEMORY)
    expected = database().get_stats(field, "rim", "median")
    np.testing.assert_array_equal(found["median_rim"], expected["median_rim"])


@pytest.mark.parametrize("what", ["client", "cluster"])
def test_a_cluster_that_is_closed_on_the_way(processes, field, tmp_path, what):
    with Client(processes) as client:
        close = client.close if what == "client" else processes.close
        with (
            meanwhile(tmp_path, close) as stats,
            pytest.raises(ClusterError, match=r"closed or is lost|has lost all its workers"),
        ):
            database().get_stats(field, "rim", stats, client=client, max_memory=MEMORY)


class Abandoned:
    """A client whose workers have left, and which gets what `act` does with every look at its futures."""

    status, asynchronous = "running", False

    def __init__(self, act):
        self._act = act
        self._threads = [{"one": 1}]

    def scheduler_info(self):
        return {}

    def nthreads(self):
        return self._threads.pop() if self._threads else {}

    def submit(self, function, *, pure):
        return self

    def exception(self, timeout):
        self._act()
        raise TimeoutError

    def cancel(self, futures):
        raise RuntimeError("Tried sending message after closing")


@pytest.mark.usefixtures("usual_ctrl_c")
def test_ctrl_c_while_no_worker_is_left(field, monkeypatch):
    monkeypatch.setattr(workers, "WITHOUT_WORKERS", PATIENCE)
    client = Abandoned(partial(signal.raise_signal, signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        database().get_stats(field, "rim", client=client)


def test_what_goes_wrong_with_cancelling_hides_nothing(field):
    client = Abandoned(lambda: None)
    with pytest.raises(ClusterError, match="the cluster has lost all its workers"):
        database().get_stats(field, "rim", client=client)


def test_a_closed_client_is_refused(client, field):
    with Client(client.cluster) as closed:
        pass
    with pytest.raises(ArgumentError, match=r"^client is closed"):
        database().get_stats(field, "rim", client=closed)


def test_an_asynchronous_client_is_refused(client, field):
    async def call():
        address = client.cluster.scheduler_address
        async with Client(address, asynchronous=True, set_as_default=False) as other:
            database().get_stats(field, "rim", client=other)

    with pytest.raises(ArgumentError, match=r"^client is asynchronous"):
        asyncio.run(call())


def test_functions_that_cannot_be_sent(client, field):
    lock = threading.Lock()

    def locked(values):
        with lock:
            return values > 0

    cdb = database()
    for argument, call in {
        "stats": lambda: cdb.get_stats(field, "rim", {"any": locked}, client=client),
        "where": lambda: cdb.get_stats(field, "rim", where={field: locked}, client=client),
    }.items():
        with pytest.raises(ArgumentError, match=f"^{argument}: .* cannot be sent to .* pickle"):
            call()


def test_results_that_cannot_be_sent(client, field):
    stats = {"lock": lambda _: threading.Lock()}
    with pytest.raises(ArgumentError, match=r"^stats: what a function returns cannot be sent"):
        database().get_stats(field, "rim", stats, client=client)


def test_functions_that_workers_cannot_load(client, field):
    class Unknown:
        def __reduce__(self):
            return exec, ("import no_such_module",)

        def __call__(self, values):
            return 0.0

    with pytest.raises(ClusterError, match=r"cannot load a function .* No module named 'no_such"):
        database().get_stats(field, "rim", {"unknown": Unknown()}, client=client)


def test_errors_of_functions_are_not_taken_for_those_of_the_cluster(client, field):
    def late(values):
        raise TimeoutError("too late")

    with pytest.raises(Exception, match="too late") as expected:
        database().get_stats(field, "rim", {"late": late})
    with pytest.raises(Exception, match="too late") as found:
        database().get_stats(field, "rim", {"late": late}, client=client)
    assert type(found.value) is type(expected.value)


@pytest.mark.parametrize("argument", ["rasters", "where", "weights"])
def test_datasets_that_their_name_does_not_open(client, field, tmp_path, argument):
    path = tmp_path / "field.tif"
    path.write_bytes(field.read_bytes())
    with rasterio.open(path, "r+") as file:
        file.build_overviews([2])

    coarse = Affine(4.0, 0.0, GRID.transform.c, 0.0, -4.0, 90.0)

    def call(dataset):
        raster = dataset if argument == "rasters" else field
        companion = {"where": [(dataset, np.isfinite)], "weights": dataset}.get(argument)
        arguments = {} if companion is None else {argument: companion}
        database().get_stats(raster, "rim", client=client, align="nearest", **arguments)

    with (
        rasterio.open(path, overview_level=0) as overview,
        pytest.raises(ArgumentError, match=f"^{argument}: .* was opened with 'overview_level'"),
    ):
        call(overview)
    with (
        rasterio.open(path) as dataset,
        WarpedVRT(dataset, width=90, height=45, transform=coarse) as warped,
        pytest.raises(ArgumentError, match=f"^{argument}: the WarpedVRT .* has no name that"),
    ):
        call(warped)
    with (
        rasterio.open(path, "r+") as written,
        pytest.raises(ArgumentError, match=f"^{argument}: .* is open for writing"),
    ):
        call(written)
