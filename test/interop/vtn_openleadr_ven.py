"""OpenLEADR's VEN against our VTN. Argument: JSON {url, ca, cert, key}. Prints one JSON object a line."""
import asyncio
import datetime
import json
import sys

from openleadr import OpenADRClient


def tell(event, **more):
    print(json.dumps({"event": event, **more}), flush=True)


def describe(event):
    descriptor = event["event_descriptor"]
    signal = event["event_signals"][0]
    return {
        "id": descriptor["event_id"],
        "modification": descriptor["modification_number"],
        "status": descriptor["event_status"],
        "signals": [one["signal_name"] for one in event["event_signals"]],
        "values": [one["signal_payload"] for one in signal["intervals"]],
        "seconds": event["active_period"]["duration"].total_seconds(),
    }


async def main():
    at = json.loads(sys.argv[1])
    client = OpenADRClient(
        ven_name="openleadr", vtn_url=at["url"], cert=at["cert"], key=at["key"], ca_file=at["ca"]
    )

    async def on_event(event):
        tell("event", **describe(event))
        return "optIn"

    async def on_update_event(event):
        tell("update", **describe(event))
        return "optOut"

    async def power():
        return 7.2

    client.add_handler("on_event", on_event)
    client.add_handler("on_update_event", on_update_event)
    client.add_report(
        callback=power,
        resource_id="evse",
        measurement="PowerReal",
        unit="kW",
        sampling_rate=datetime.timedelta(seconds=1),
    )
    await client.run()
    tell("running", venId=client.ven_id)
    await asyncio.sleep(120)


asyncio.run(main())
