"""An OpenLEADR VTN over mutual TLS, driven by JSON lines on stdin, telling what happens by JSON lines on stdout.

Usage: python openleadr_vtn.py FOLDER
FOLDER receives ca.pem, client.pem, client.key, server.pem, server.key (made anew, P-256).
Commands: {"cmd": "event" | "modify" | "cancel" | "forget" | "stop", ...}; see the handlers below.
"""

import asyncio
import datetime
import ipaddress
import json
import logging
import os
import re
import ssl
import sys
from datetime import timedelta, timezone

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

STDOUT = sys.stdout
sys.stdout = sys.stderr  # OpenLEADR prints banners

from openleadr import OpenADRServer, hooks, objects, utils  # noqa: E402

# The suite that OpenADR 2.0b names for elliptic-curve certificates.
SUITE = "ECDHE-ECDSA-AES128-SHA256"


def say(**what):
    STDOUT.write(json.dumps(what, default=str) + "\n")
    STDOUT.flush()


def make_certificates(folder):
    now = datetime.datetime.now(timezone.utc)

    def name(common):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    def write(path, data):
        with open(os.path.join(folder, path), "wb") as file:
            file.write(data)

    ca_key = ec.generate_private_key(ec.SECP256R1())

    def issue(common, key, ca=False, usage=None, names=None):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(name("interop test CA"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if usage:
            builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    write("ca.pem", issue("interop test CA", ca_key, ca=True).public_bytes(pem))
    parts = {
        "server": (ExtendedKeyUsageOID.SERVER_AUTH, [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
        "client": (ExtendedKeyUsageOID.CLIENT_AUTH, None),
    }
    for part, (usage, names) in parts.items():
        key = ec.generate_private_key(ec.SECP256R1())
        write(part + ".pem", issue("interop " + part, key, usage=usage, names=names).public_bytes(pem))
        write(
            part + ".key",
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        )


class Vtn:
    def __init__(self, folder):
        self.vens = {}
        self.forgotten = ""
        self.registrations = 0
        path = lambda file: os.path.join(folder, file)  # noqa: E731
        self.server = OpenADRServer(
            vtn_id="interop-vtn",
            http_host="127.0.0.1",
            http_port=0,
            http_cert=path("server.pem"),
            http_key=path("server.key"),
            http_ca_file=path("ca.pem"),
            requested_poll_freq=timedelta(seconds=1),
            ven_lookup=self.lookup,
            verify_message_signatures=False,
        )
        self.server.ssl_context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.server.ssl_context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.server.ssl_context.set_ciphers(SUITE)
        self.server.add_handler("on_create_party_registration", self.register)
        self.server.add_handler("on_register_report", self.register_report)
        self.server.add_handler("on_cancel_party_registration", self.cancel_registration)
        with open(path("client.pem")) as file:
            say(event="fingerprint", expected=utils.certificate_fingerprint(file.read()))
        hooks.register("before_parse", self.inbound)
        hooks.register("before_respond", self.outbound)

    def lookup(self, ven_id):
        known = self.vens.get(ven_id)
        if self.forgotten == "all":
            return None
        if self.forgotten == "registration" and known:
            return {**known, "registration_id": None}
        return known

    def register(self, info):
        self.registrations += 1
        self.forgotten = ""
        ven_id = info.get("ven_id") or "ven-123"
        registration_id = info.get("registration_id") or "registration-1"
        self.vens[ven_id] = {
            "ven_id": ven_id,
            "ven_name": info["ven_name"],
            "registration_id": registration_id,
            "fingerprint": info["fingerprint"],
        }
        say(
            event="registered",
            name=info["ven_name"],
            fingerprint=info["fingerprint"],
            again=info.get("registration_id"),
            count=self.registrations,
        )
        return ven_id, registration_id

    def register_report(self, ven_id, resource_id, measurement, unit, scale, min_sampling_interval, max_sampling_interval):
        say(event="offered", resource=resource_id, measurement=measurement, unit=unit, scale=scale)
        if measurement == "Status":
            return None  # its update handler fails on status payloads

        def arrived(data):
            say(event="report", measurement=measurement, values=[value for _, value in data])

        return arrived, timedelta(seconds=1)

    def cancel_registration(self, info):
        say(event="deregistered", registration=info.get("registration_id"))
        return "oadrCanceledPartyRegistration", {"registration_id": info.get("registration_id"), "ven_id": info.get("ven_id")}

    async def inbound(self, content):
        text = content.decode() if isinstance(content, bytes) else content
        payload = re.search(r"oadrSignedObject[^>]*>\s*<(?:\w+:)?(\w+)", text)
        say(
            event="in",
            payload=payload.group(1) if payload else "?",
            opt=re.findall(r"optType>(\w+)<", text),
            codes=re.findall(r"eventResponse><ei:responseCode>(\d+)<", text),
            words=re.findall(r"eventResponse>.*?responseDescription>([^<]*)<", text),
        )

    async def outbound(self, text):
        if text and not text.lstrip().startswith("<"):
            say(event="error", text=text)

    def add(self, command):
        start = datetime.datetime.now(timezone.utc) + timedelta(seconds=command.get("startInSeconds", 2))
        start = start.replace(microsecond=0)
        signals = []
        for n, signal in enumerate(command["signals"]):
            at = start
            intervals = []
            for seconds, value in signal["intervals"]:
                intervals.append(objects.Interval(dtstart=at, duration=timedelta(seconds=seconds), signal_payload=value))
                at += timedelta(seconds=seconds)
            signals.append(
                objects.EventSignal(
                    intervals=intervals,
                    signal_name=signal["name"],
                    signal_type=signal["type"],
                    signal_id="signal-%d" % n,
                    measurement=objects.Measurement(**signal["measurement"]) if "measurement" in signal else None,
                )
            )
        total = timedelta(seconds=sum(s for s, _ in command["signals"][0]["intervals"]))
        active_period = objects.ActivePeriod(
            dtstart=start,
            duration=total,
            tolerance={"startafter": timedelta(seconds=command["startAfter"])} if "startAfter" in command else None,
            ramp_up_period=timedelta(seconds=5),
            notification_period=timedelta(seconds=60),
        )
        event = objects.Event(
            event_descriptor=objects.EventDescriptor(
                event_id=command["id"],
                modification_number=0,
                modification_date_time=start,
                market_context=command.get("context", "http://interop"),
                event_status="far",
                created_date_time=datetime.datetime.now(timezone.utc),
                priority=command.get("priority", 1),
                test_event=command.get("test", False),
                vtn_comment="interop test",
            ),
            active_period=active_period,
            event_signals=signals,
            targets=[{"ven_id": command.get("venId", "ven-123")}],
            response_required=command.get("responseRequired", "always"),
        )

        def answered(ven_id, event_id, opt_type):
            say(event="answered", id=event_id, opt=opt_type)

        self.server.add_raw_event(ven_id="ven-123", event=event, callback=answered)
        event.active_period = active_period  # add_raw_event makes a poorer one of the intervals

    def modify(self, command):
        event = utils.find_by(self.server.events["ven-123"], "event_descriptor.event_id", command["id"])
        event.event_descriptor.modification_number += 1
        for interval in event.event_signals[0].intervals:
            interval.signal_payload = command["value"]
        self.server.events_updated["ven-123"] = True

    async def run(self):
        await self.server.run()
        port = self.server.app_runner.addresses[0][1]
        say(event="listening", url="https://127.0.0.1:%d" % port)
        loop = asyncio.get_running_loop()
        while True:
            line = await loop.run_in_executor(None, sys.stdin.readline)
            if not line:
                break
            command = json.loads(line)
            what = command["cmd"]
            say(event="command", command=command)
            if what == "event":
                self.add(command)
            elif what == "modify":
                self.modify(command)
            elif what == "cancel":
                self.server.cancel_event("ven-123", command["id"])
            elif what == "forget":
                self.forgotten = command["what"]
            elif what == "stop":
                break
        await self.server.stop()


logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
logging.getLogger("openleadr").setLevel(logging.WARNING)
make_certificates(sys.argv[1])
asyncio.run(Vtn(sys.argv[1]).run())
