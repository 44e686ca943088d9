"""A charging platform on mobilityhouse's `ocpp` (PyPI), driven by JSON lines: calls on stdin, what happens on stdout."""

import asyncio
import base64
import dataclasses
import json
import re
import ssl
import sys
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus

cert, key, password = sys.argv[1:4]
# With a fourth argument, client certificates of that CA are demanded instead of the password (security profile 3).
client_ca = sys.argv[4] if len(sys.argv) > 4 else None
points = {}
next_transaction = [1]


def say(**values):
    print(json.dumps(values, default=str), flush=True)


def now():
    return datetime.now(timezone.utc).isoformat()


class Point(ChargePoint):
    async def route_message(self, raw_msg):
        say(event="raw", text=raw_msg)
        await super().route_message(raw_msg)

    @on(Action.boot_notification)
    def on_boot(self, **kwargs):
        say(event="boot", **kwargs)
        return call_result.BootNotification(current_time=now(), interval=60, status=RegistrationStatus.accepted)

    @on(Action.heartbeat)
    def on_heartbeat(self):
        say(event="heartbeat")
        return call_result.Heartbeat(current_time=now())

    @on(Action.status_notification)
    def on_status(self, **kwargs):
        say(event="status", **kwargs)
        return call_result.StatusNotification()

    @on(Action.authorize)
    def on_authorize(self, **kwargs):
        return call_result.Authorize(id_tag_info={"status": AuthorizationStatus.accepted})

    @on(Action.start_transaction)
    def on_start(self, **kwargs):
        number = next_transaction[0]
        next_transaction[0] += 1
        say(event="start", transaction_id=number, **kwargs)
        return call_result.StartTransaction(
            transaction_id=number, id_tag_info={"status": AuthorizationStatus.accepted}
        )

    @on(Action.stop_transaction)
    def on_stop(self, **kwargs):
        say(event="stop", **kwargs)
        return call_result.StopTransaction()

    @on(Action.meter_values)
    def on_meter(self, **kwargs):
        say(event="meter", **kwargs)
        return call_result.MeterValues()

    @on(Action.firmware_status_notification)
    def on_firmware(self, **kwargs):
        say(event="firmware", **kwargs)
        return call_result.FirmwareStatusNotification()

    @on(Action.security_event_notification)
    def on_security(self, **kwargs):
        say(event="security", **kwargs)
        return call_result.SecurityEventNotification()


async def connected(connection):
    identity = connection.request.path.rsplit("/", 1)[-1]
    if connection.subprotocol != "ocpp1.6":
        await connection.close(1002, "subprotocol")
        return
    point = Point(identity, connection)
    points[identity] = point
    say(event="connected", identity=identity)
    try:
        await point.start()
    except websockets.exceptions.ConnectionClosed:
        say(event="disconnected", identity=identity)


def authorize(connection, request):
    identity = request.path.rsplit("/", 1)[-1]
    if client_ca is not None:
        return None
    wanted = "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()
    if request.headers.get("Authorization") != wanted:
        return connection.respond(401, "Unauthorized\n")
    return None


def snake(name):
    return re.sub(r"([A-Z])", lambda found: "_" + found.group(1).lower(), name)


async def commands():
    loop = asyncio.get_event_loop()
    while True:
        line = await loop.run_in_executor(None, sys.stdin.readline)
        if not line:
            return
        wanted = json.loads(line)
        point = next(iter(points.values()))
        fields = {snake(name): value for name, value in wanted["payload"].items()}
        try:
            answer = await point.call(getattr(call, wanted["action"])(**fields), suppress=False)
            say(event="answer", id=wanted["id"], answer=dataclasses.asdict(answer))
        except Exception as error:  # the test reads it
            say(event="answer", id=wanted["id"], error=f"{type(error).__name__}: {error}")


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(client_ca)
    server = await websockets.serve(
        connected, "127.0.0.1", 0, ssl=context, subprotocols=["ocpp1.6"], process_request=authorize
    )
    say(event="listening", port=server.sockets[0].getsockname()[1])
    await commands()


asyncio.run(main())
