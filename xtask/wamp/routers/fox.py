"""fox-wamp, to be measured: WAMP over WebSocket, JSON, nothing else."""

from pathlib import Path

from .process import Router, free_port

HERE = Path(__file__).parent


def start(folder: Path) -> Router:
    """Starts fox-wamp; its log goes below `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    ends = {"ws": f"ws://127.0.0.1:{port}/ws"}
    return Router("fox-wamp", ["node", HERE / "fox.cjs", str(port)], folder, ends)
