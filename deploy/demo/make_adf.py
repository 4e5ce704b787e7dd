"""The ADF 1.0 mails of the demo, in the spellings that real senders use.

Format: Auto-lead Data Format, version 1.0 (2000-05-03). It knows `interest="buy"`, `test-drive`, `sell` and `trade-in`
but no workshop, so workshop leads name the work in the provider's `<service>`; the vendor is the store that is wished
for. It cannot say consent: the text that people agree to is registered with the source.
"""

from collections.abc import Iterator


def adf_files() -> Iterator[tuple[str, bytes]]:
    """(What the file shows, its bytes) of every mail."""
    yield "plain", document(prospect(61, "test-drive", "苏州市", "昆山市"))
    yield "chinese", document(prospect(62, "buy", "重庆市", "南岸区", name="测试人员62"))
    yield (
        "two-prospects",
        document(prospect(63, "test-drive", "Nanjing", "Jianye") + prospect(64, "trade-in", "Changsha", "Yuelu")),
    )
    yield "service", document(prospect(75, "buy", "苏州", "吴江区", service="mechanical repair"))
    yield "wished-vendor", document(prospect(76, "buy", "长沙市", "开福区", vendor="changsha-yuelu-store"))
    yield "used", document(prospect(65, "buy", "Zhengzhou", "Erqi", vehicle_status="used"))
    yield "resend", document(prospect(66, "buy", "Wuxi", "Huishan", status="resend"))
    # The standard's own sample begins like this; no XML parser takes the first line as it is.
    yield (
        "header-of-the-standard",
        b'<?ADF VERSION "1.0"?>\n<?XML VERSION "1.0"?>\n'
        + document(prospect(67, "test-drive", "西安", "雁塔区"), header=""),
    )
    yield "blank-line-first", b"\n" + document(prospect(68, "buy", "Foshan", "Shunde"))
    yield (
        "gbk",
        document(
            prospect(69, "buy", "青岛", "城阳区", name="测试人员69"), header='<?xml version="1.0" encoding="GBK"?>\n'
        )
        .decode()
        .encode("gbk"),
    )
    yield "bare-ampersand", document(prospect(70, "test-drive", "Tianjin", "Beichen", comments="sedan & estate"))
    yield (
        "unquoted-sequence",
        document(prospect(71, "sell", "Dongguan", "Dongcheng").replace('sequence="1"', "sequence=1")),
    )
    yield "cdata", document(prospect(72, "buy", "Ningbo", "Yinzhou", comments="<![CDATA[prefers mornings <9-11>]]>"))
    yield (
        "date-without-zone",
        document(prospect(73, "buy", "Hefei", "Feidong").replace("2026-03-02T10:00:00+08:00", "2026-03-02 10:00:00")),
    )
    yield "place-unknown", document(prospect(74, "buy", "Atlantis", "Old Harbour"))


def document(
    prospects: str, *, header: str = '<?xml version="1.0" encoding="UTF-8"?>\n<?adf version="1.0"?>\n'
) -> bytes:
    """A whole ADF document around its prospects."""
    return f"{header}<adf>\n{prospects}</adf>\n".encode()


def prospect(
    person: int,
    interest: str,
    city: str,
    district: str,
    *,
    name: str = "",
    status: str = "new",
    vehicle_status: str = "new",
    comments: str = "sent by a web form",
    vendor: str = "nearest store",
    service: str = "",
) -> str:
    """One prospect: date, vehicle, customer, vendor and provider."""
    return f"""\
  <prospect status="{status}">
    <id sequence="1" source="demo-portal">P-{person:04d}</id>
    <requestdate>2026-03-02T10:00:00+08:00</requestdate>
    <vehicle interest="{interest}" status="{vehicle_status}">
      <year>2026</year>
      <make>Demo</make>
      <model>Sedan</model>
      <comments>{comments}</comments>
    </vehicle>
    <customer>
      <contact>
        <name part="full">{name or f"Test Person {person:02d}"}</name>
        <email>test.person.{person:02d}@example.com</email>
        <phone type="voice" time="day">+86 174 0000 {person:04d}</phone>
        <address>
          <street line="1">{district}</street>
          <city>{city}</city>
          <country>CN</country>
        </address>
      </contact>
    </customer>
    <vendor>
      <vendorname>{vendor}</vendorname>
    </vendor>
    <provider>
      <name part="full">demo-portal</name>
      <service>{service}</service>
    </provider>
  </prospect>
"""
