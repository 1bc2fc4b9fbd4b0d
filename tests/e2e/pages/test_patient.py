"""What a patient does: register, assess, see the result."""

import time

import pytest

pytestmark = pytest.mark.browser


def test_picture_and_answers(site, visit, width, knee_file, axe):
    one = visit(site, width)
    one.open("/")
    assert one.page.url.endswith("/sign-in")
    one.is_accessible(axe)
    one.shot("sign-in")
    one.open("/register")
    one.is_accessible(axe)
    one.register(f"both-{width}@home.example")
    one.page.set_input_files("#image", knee_file)
    one.fill_in()
    one.is_accessible(axe)
    one.shot("new")
    began = time.monotonic()
    one.assess()
    assert time.monotonic() - began < 10
    assert one.page.locator("[data-part]").count() == 4
    assert "/assessments/" in one.page.url
    one.page.wait_for_selector("[data-controls]:not([hidden])")
    one.is_accessible(axe)
    one.shot("result")
    assert one.page.locator("#group-medication").count() == 0
    address = one.page.url
    one.page.reload(wait_until="networkidle")
    assert one.page.url == address
    one.page.wait_for_selector("[data-controls]:not([hidden])")
