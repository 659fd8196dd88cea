"""The report as a person uses it, in a real browser."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lungcli.report.content import Report, ReportCase
from lungcli.report.page import write_report

HOSTILE = "<img src=x onerror=alert(1)>"
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}


@pytest.fixture
def desk(visit, address):
    return visit(address, viewport={"width": 1280, "height": 800})


@pytest.fixture
def viewer(visit, address):
    """The viewer of the second worst case."""
    return visit(f"{address}#case=harbour/cut-40")


def pressed(page):
    return page.locator('[data-layer][aria-pressed="true"]').get_attribute("data-layer")


def place(page):
    return page.locator("#case-place").text_content()


def test_nothing_is_fetched(desk, address):
    desk.until("document.querySelectorAll('#print-cases img').length")
    assert [url for url in desk.requests if not url.startswith("data:")] == [address]


def test_overview_is_there(desk):
    page = desk.page
    assert page.title() == "Phantoms"
    assert "trained on 2 of these cases" in page.locator(".notes").inner_text()
    assert page.locator(".card").count() == 6
    assert page.locator(".alarm").count() == 3
    assert page.locator(".strip circle").count() == 7
    assert page.locator("polyline").count() == 2


def test_cases_stand_worst_first(desk):
    assert desk.names()[:2] == ["left-missed", "cut-40"]
    assert desk.names()[-1] == "empty"


def test_pictures_are_decoded_only_when_shown(desk):
    assert desk.shown_layers() == []
    desk.open(desk.page.locator("#rows a").first)
    assert desk.shown_layers() == ["xray", "predicted"]
    sizes = desk.page.locator("#layers img").evaluate_all(
        "images => images.map(image => [image.naturalWidth, image.naturalHeight])"
    )
    assert sizes == [[96, 96], [96, 96]]


def test_a_dot_leads_to_its_case(desk):
    desk.open(desk.page.locator(".strip a").first)
    assert desk.page.locator("#case-name").text_content() == "clinic/left-missed"


def test_a_click_anywhere_in_a_row_opens_it(desk):
    desk.open(desk.page.locator("#rows tr").nth(1).locator("td").nth(3))
    assert desk.page.locator("#case-name").text_content() == "harbour/cut-40"


def test_layers_by_click(viewer):
    page = viewer.page
    for name, label in (
        ("gold", "Gold Std"),
        ("difference", "Difference"),
        ("predicted", "Predicted"),
    ):
        page.get_by_role("button", name=label).click()
        assert viewer.shown_layers() == ["xray", name]
        assert pressed(page) == name
        assert page.locator("#stage").get_attribute("aria-label").startswith(label)
    page.get_by_role("button", name="X-ray").click()
    assert viewer.shown_layers() == ["xray"]
    assert page.locator(".legend li:visible").count() == 0


def test_layers_by_key(viewer):
    keys = {"1": "predicted", "2": "gold", "3": "difference", "0": "xray"}
    for key, name in {**keys, "2": "gold", "x": "xray"}.items():
        viewer.page.keyboard.press(key)
        assert pressed(viewer.page) == name
    viewer.page.keyboard.press("3")
    legend = viewer.page.locator(".legend li:visible").all_text_contents()
    assert legend == ["agreed", "missed", "extra"]


def test_opacity(viewer):
    viewer.page.locator("#opacity").fill("30")
    overlay, xray = (
        viewer.page.locator(f"#layers .{n}") for n in ("predicted", "xray")
    )
    assert overlay.evaluate("image => image.style.opacity") == "0.3"
    assert xray.evaluate("image => image.style.opacity") == ""
    viewer.page.keyboard.press("3")
    overlay = viewer.page.locator("#layers .difference")
    assert overlay.evaluate("image => image.style.opacity") == "0.3"


def test_arrows_move_the_opacity_slider_and_not_the_case(viewer):
    viewer.page.locator("#opacity").focus()
    viewer.page.keyboard.press("ArrowLeft")
    assert viewer.page.locator("#opacity").input_value() == "99"
    assert place(viewer.page) == "2 of 8"


def test_zoom_by_buttons_keys_and_double_click(viewer):
    page = viewer.page
    page.get_by_role("button", name="Zoom in").click()
    assert viewer.scale() == (1.5, 0, 0)
    page.keyboard.press("+")
    assert page.locator("#zoom-level").text_content() == "225 %"
    page.keyboard.press("-")
    page.get_by_role("button", name="Zoom out").click()
    assert viewer.scale() == (1, 0, 0)
    page.keyboard.press("+")
    page.locator("#stage").dblclick()
    assert viewer.scale() == (1, 0, 0)


def test_wheel_keeps_what_is_under_the_pointer(viewer):
    box = viewer.page.locator("#fit").bounding_box()
    viewer.page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    viewer.page.mouse.wheel(0, -300)
    viewer.until("document.querySelector('.zoomed')")
    scale, x, y = viewer.scale()
    assert scale == pytest.approx(1.822, abs=0.001)
    assert x == pytest.approx((1 - scale) * box["width"] / 4, rel=0.01)
    assert y == pytest.approx(0, abs=1)


def test_pan_by_drag_and_keys_stays_on_the_picture(viewer):
    page = viewer.page
    page.keyboard.press("+")
    box = page.locator("#fit").bounding_box()
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 230, box["y"] + 180)
    page.mouse.up()
    assert viewer.scale() == (1.5, 30, -20)
    page.keyboard.press("Shift+ArrowLeft")
    assert viewer.scale() == (1.5, 90, -20)
    for _ in range(9):
        page.keyboard.press("Shift+ArrowLeft")
    assert viewer.scale()[1] == pytest.approx(box["width"] / 4, abs=1)


def test_pinch(visit, address):
    phone = visit(f"{address}#case=clinic/cut-30", **PHONE)
    touch = partial(
        phone.page.context.new_cdp_session(phone.page).send, "Input.dispatchTouchEvent"
    )
    for kind, spread in (("touchStart", 30), ("touchMove", 45), ("touchMove", 60)):
        points = [{"x": 195 + k * spread, "y": 250, "id": k + 1} for k in (-1, 1)]
        touch({"type": kind, "touchPoints": points})
    touch({"type": "touchEnd", "touchPoints": []})
    assert phone.scale()[0] == pytest.approx(2, abs=0.05)


def test_arrow_keys_and_buttons_walk_through_the_cases(desk):
    page = desk.page
    desk.open(page.locator("#rows a").first)
    assert page.locator("#previous").is_disabled()
    page.keyboard.press("ArrowLeft")
    assert place(page) == "1 of 8"
    page.keyboard.press("ArrowRight")
    page.locator("#next").click()
    assert place(page) == "3 of 8"
    page.keyboard.press("3")
    page.locator("#previous").click()
    assert page.locator("#case-name").text_content() == "harbour/cut-40"
    assert pressed(page) == "difference"
    desk.until("location.hash === '#case=harbour/cut-40'")


def test_walking_follows_the_filter(desk):
    desk.page.locator("#source").select_option("harbour")
    desk.open(desk.page.locator("#rows a").first)
    names = []
    for _ in range(3):
        names.append(desk.page.locator("#case-name").text_content())
        desk.page.keyboard.press("ArrowRight")
    assert names == ["harbour/cut-40", "harbour/cut-20", "harbour/mirrored"]
    assert place(desk.page) == "3 of 3"
    assert desk.page.locator("#next").is_disabled()


def test_search(desk):
    page = desk.page
    page.get_by_label("Search").fill("CUT harb")
    assert desk.names() == ["cut-40", "cut-20"]
    assert page.locator("#count").text_content() == "2 of 8 cases"
    page.get_by_label("Search").fill("p3")
    assert desk.names() == [HOSTILE]
    page.get_by_label("Search").fill("nobody")
    assert desk.names() == []
    page.get_by_role("button", name="Show all cases").click()
    assert len(desk.names()) == 8
    assert page.locator("#empty").is_hidden()


def test_flags(desk):
    select = desk.page.locator("#flag")
    select.select_option("sides swapped")
    assert desk.names() == ["mirrored"]
    select.select_option("*")
    assert "no-xray" not in desk.names()
    assert {"left-missed", "mirrored", "empty"} <= set(desk.names())


def test_sort(desk):
    heads = desk.page.locator(".cases thead th")
    assert heads.nth(3).get_attribute("aria-sort") == "ascending"
    worst_first = desk.names()
    desk.page.get_by_role("button", name="Dice", exact=True).click()
    assert heads.nth(3).get_attribute("aria-sort") == "descending"
    assert desk.names() == [*reversed(worst_first[:-1]), "empty"]
    desk.page.get_by_role("button", name="Case").click()
    assert heads.nth(3).get_attribute("aria-sort") is None
    assert desk.names() == sorted(desk.names())
    desk.page.get_by_role("button", name=re.compile("HD95")).click()
    assert heads.nth(6).get_attribute("aria-sort") == "descending"
    column = desk.page.locator("#rows td:nth-child(7)").all_text_contents()
    numbers = [float(text) for text in column[:-1]]
    assert numbers == sorted(numbers, reverse=True)
    assert column[-1] == "–"


def test_a_link_opens_its_case_and_back_leads_to_the_table(desk, address):
    page = desk.page
    desk.open(page.locator("#rows a").nth(2))
    assert page.url == f"{address}#case=clinic/cut-30"
    page.keyboard.press("ArrowRight")
    desk.until("location.hash !== '#case=clinic/cut-30'")
    page.go_back()
    desk.until("!document.querySelector('dialog').open")
    assert page.url == address
    page.go_forward()
    desk.until("document.querySelector('dialog').open")
    assert page.locator("#case-name").text_content() == f"clinic/{HOSTILE}"


def test_the_viewer_stays_open_when_the_address_changes_back_at_once(desk):
    page = desk.page
    desk.open(page.locator("#rows a").nth(2))
    page.evaluate(
        """() => new Promise((done) => {
          addEventListener('hashchange', () => {
            location.hash = '#case=harbour/cut-40';  // before the dialog's close event
            setTimeout(done, 200);
          }, { once: true });
          history.back();
        })"""
    )
    assert page.locator("dialog").is_visible()
    assert page.url.endswith("#case=harbour/cut-40")


def test_closing_goes_back(desk, address):
    desk.open(desk.page.locator("#rows a").nth(2))
    desk.page.keyboard.press("Escape")
    desk.until(f"location.href === '{address}'")
    assert not desk.page.locator("dialog").is_visible()


def test_a_direct_link_needs_nothing_before_it(viewer):
    assert viewer.page.locator("#case-name").text_content() == "harbour/cut-40"
    viewer.page.get_by_role("button", name="Close").click()
    viewer.until("location.hash === '#cases'")
    assert len(viewer.names()) == 8


@pytest.mark.parametrize("end", ["#case=nobody", "#case=%E0%A4%A", "#case=", "#cases"])
def test_links_to_nowhere(visit, address, end):
    page = visit(address + end).page
    assert page.locator("#rows tr").count() == 8
    assert not page.locator("dialog").is_visible()


def test_a_hostile_name_is_text(desk):
    page = desk.page
    desk.open(page.get_by_role("link", name=HOSTILE, exact=True))
    assert page.locator("#case-name").text_content() == f"clinic/{HOSTILE}"
    desk.until("document.querySelectorAll('#print-cases img').length")
    assert page.locator('img[src="x"], [onerror]').count() == 0
    page.reload()
    assert page.locator("#case-name").text_content() == f"clinic/{HOSTILE}"


def test_the_policy_stops_what_is_not_ours(visit, address):
    stranger = visit(address)
    stranger.page.evaluate(
        """() => {
          document.body.append(document.createElement('img'));
          document.body.lastChild.src = 'http://127.0.0.1:9/x.png';
          document.body.setAttribute('style', 'color: red');
          try { document.body.innerHTML = '<b id=b></b>'; } catch {}
        }"""
    )
    page = stranger.page
    page.wait_for_timeout(50)
    assert page.locator("#b").count() == 0
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    words = ("127.0.0.1:9", "inline style", "TrustedHTML")
    assert all(any(word in text for text in stranger.messages) for word in words)
    stranger.messages.clear()


def test_without_an_xray_the_masks_lie_on_black(visit, address):
    page = visit(f"{address}#case=clinic/no-xray")
    assert page.shown_layers() == ["predicted"]
    page.page.keyboard.press("0")
    assert page.shown_layers() == []


def test_by_keyboard_alone(desk):
    page = desk.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "left-missed":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    desk.until("document.activeElement.id === 'stage'")
    for _ in range(12):
        page.keyboard.press("Tab")
        where = page.evaluate("document.activeElement.closest('dialog, main')?.id")
        assert where in ("viewer", None)  # None: the browser's own controls
    page.keyboard.press("Escape")
    desk.until("document.activeElement.textContent === 'left-missed'")


def test_names_for_people_who_listen(viewer):
    nameless = viewer.page.evaluate(
        """() => [...document.querySelectorAll('button,input,select,svg,[role=img]')]
          .filter((element) => !element.closest('[aria-hidden=true]'))
          .filter(({ ariaLabel, textContent, labels }) =>
            !(ariaLabel || textContent.trim() || labels?.length))
          .map((element) => element.outerHTML)"""
    )
    assert nameless == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_all_of_it(visit, address, width):
    phone = visit(address, **{**PHONE, "viewport": {"width": width, "height": 700}})
    assert phone.page.evaluate("document.documentElement.scrollWidth") == width
    phone.page.locator("#rows a").first.tap()
    phone.until("document.querySelector('dialog').open")
    dialog = phone.page.locator("dialog")
    assert dialog.evaluate("element => element.scrollWidth") == width
    stage = phone.page.locator("#fit").bounding_box()
    assert stage["width"] == pytest.approx(width, abs=1)
    assert phone.page.locator(".flag:visible").count() > 0


def test_dark_mode(visit, address):
    colours = {
        scheme: visit(address, color_scheme=scheme).page.evaluate(
            "['backgroundColor', 'color'].map(n => getComputedStyle(document.body)[n])"
        )
        for scheme in ("light", "dark")
    }
    assert colours["dark"] == ["rgb(16, 17, 20)", "rgb(240, 241, 243)"]
    assert colours["light"] == ["rgb(245, 246, 248)", "rgb(26, 29, 35)"]


def test_on_paper(visit, address):
    dark = visit(address, color_scheme="dark")
    page = dark.page
    dark.until("document.querySelectorAll('#print-cases img').length")
    assert page.locator("#print-cases").is_hidden()
    page.emulate_media(media="print")
    assert page.locator("#print-cases figure").count() == 6
    assert page.locator("#print-cases").is_visible()
    assert page.locator("#toolbar").is_hidden()
    white = "getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'"
    assert page.evaluate(white)
    assert page.pdf().startswith(b"%PDF")


def test_a_folder_loads_pictures_when_they_are_shown(visit, folder_report):
    window = visit(f"{folder_report.as_uri()}#case=clinic/cut-30")
    window.until(
        "[...document.querySelectorAll('img')].every(image => image.naturalWidth > 0)"
    )
    assert window.shown_layers() == ["xray", "predicted"]
    assert {url.split(":")[0] for url in window.requests} == {"file"}
    loaded = {url.rpartition("/")[2] for url in window.requests}
    assert "00002-predicted.png" in loaded
    assert not any("gold" in name for name in loaded)
    window.page.keyboard.press("2")
    window.until("document.querySelector('.gold').naturalWidth > 0")


@pytest.fixture
def server(folder_report):
    """The address of a web server for the folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = partial(Quiet, directory=folder_report.parent)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_folder_on_a_web_server(visit, server):
    window = visit(f"{server}/index.html#case=clinic/cut-30")
    window.until("document.querySelector('#layers .predicted').naturalWidth > 0")
    window.page.close()
    # the browser asks every server for an icon
    window.messages[:] = [text for text in window.messages if "404" not in text]


def test_two_thousand_cases(visit, tmp_path):
    cases = [
        ReportCase(
            name=f"s/case-{number}",
            source="s",
            case_id=f"case-{number}",
            patient_id="",
            split="",
            scores={"lungs": {"dice": number / 2000}},
            facts={},
        )
        for number in range(2000)
    ]
    path = write_report(tmp_path, Report(title="many", summary={}), cases)
    window = visit(path.as_uri(), viewport={"width": 1280, "height": 800})
    page = window.page
    assert page.locator("#count").text_content() == "2000 cases"
    assert page.locator("#rows tr").count() == 100
    page.locator("#rows tr").last.scroll_into_view_if_needed()
    window.until("document.querySelectorAll('#rows tr').length > 100")
    page.get_by_label("Search").fill("case-1999")
    assert window.names() == ["case-1999"]
    window.open(page.get_by_role("link", name="case-1999", exact=True))
    assert page.locator("#no-picture").is_visible()
    assert page.locator("#fit").is_hidden()
