"""The utility's business logic, played by openadr3-client (PyPI, ElaadNL). A command a line on stdin, a JSON line each.

usage: openadr3_client_bl.py BASE_URL CLIENT_ID CLIENT_SECRET CA_FILE
"""
import json
import pathlib
import sys
from datetime import UTC, datetime, timedelta

from openadr3_client.bl.http_factory import BusinessLogicHttpClientFactory
from openadr3_client.oadr310._vtn.interfaces.filters import PaginationFilter
from openadr3_client.oadr310.models.event.event import EventUpdate, NewEvent
from openadr3_client.oadr310.models.event.event_payload import EventPayload, EventPayloadType
from openadr3_client.oadr310.models.program.program import NewProgram
from openadr3_client._models.common.interval import Interval
from openadr3_client._models.common.interval_period import IntervalPeriod
from openadr3_client.version import OADRVersion

base, client_id, secret, ca = sys.argv[1:5]
bl = BusinessLogicHttpClientFactory.create_http_bl_client(
    vtn_base_url=base,
    client_id=client_id,
    client_secret=secret,
    verify_vtn_tls_certificate=pathlib.Path(ca),
    version=OADRVersion.OADR_310,
)
PAGE = PaginationFilter(skip=0, limit=50)


def content(program_id, level):
    return dict(
        programID=program_id,
        event_name="from openadr3-client",
        priority=3,
        interval_period=IntervalPeriod(start=datetime.now(tz=UTC), duration=timedelta(minutes=5)),
        intervals=(
            Interval(id=0, interval_period=None, payloads=(EventPayload(type=EventPayloadType.SIMPLE, values=(level,)),)),
            Interval(id=1, interval_period=None, payloads=(EventPayload(type=EventPayloadType.SIMPLE, values=(0,)),)),
        ),
    )


def main(command, *args):
    if command == "program":
        return {"id": bl.programs.create_program(new_program=NewProgram(program_name=args[0])).id}
    if command == "event":
        return {"id": bl.events.create_event(new_event=NewEvent(**content(args[0], int(args[1])))).id}
    if command == "change":
        return {"id": bl.events.update_event_by_id(args[1], EventUpdate(**content(args[0], int(args[2])))).id}
    if command == "delete":
        return {"id": bl.events.delete_event_by_id(args[0]).id}
    if command == "vens":
        return {"vens": [ven.ven_name for ven in bl.vens.get_vens(None, None, PAGE)]}
    if command == "reports":
        reports = bl.reports.get_reports(PAGE, None, None, None)
        return {"reports": [json.loads(report.model_dump_json()) for report in reports]}
    raise ValueError(command)


for line in sys.stdin:
    try:
        print(json.dumps(main(*line.split())), flush=True)
    except Exception as error:  # told to the test, which fails with it
        print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
