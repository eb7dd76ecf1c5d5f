"""stepfunctions.py PORT LAMBDA_ENDPOINT FOLDER: moto's server with the behaviour of ECR of
moto_faithful.py, and with the interpreter of Step Functions of motofull.py, whose calls of
Lambda go to LAMBDA_ENDPOINT. Both scripts are in FOLDER."""
import functools
import sys
import threading

PORT, LAMBDA_ENDPOINT, FOLDER = sys.argv[1:4]
sys.path.insert(0, FOLDER)

sys.argv = ["moto_faithful.py", PORT, "--faithful"]
import moto_faithful  # noqa: E402
import moto.server  # noqa: E402
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils  # noqa: E402


class Server:
    """The server that motofull.py starts, with the application of moto_faithful.py."""

    def __init__(self, ip_address, port, verbose):
        self.run = functools.partial(moto_faithful.run_simple, ip_address, port, moto_faithful.app, threaded=True)

    def start(self):
        threading.Thread(target=self.run, daemon=True).start()

    def stop(self):
        pass


moto.server.ThreadedMotoServer = Server

# The interpreter makes a client for each call of Lambda, which takes longer than the call.
make, clients, lock = lambda_eval_utils.boto_client_for, {}, threading.Lock()


def client(region, service, state_credentials=None):
    with lock:
        if (region, service) not in clients:
            clients[region, service] = make(region=region, service=service, state_credentials=state_credentials)
        return clients[region, service]


lambda_eval_utils.boto_client_for = client

sys.argv = ["motofull.py", PORT, LAMBDA_ENDPOINT]
import motofull  # noqa: E402, F401
