"""What a person does in the browser, one step a function."""

from playwright.sync_api import Page, expect

from tests.support.main_job import Person, Scene


def enter_network(page: Page, scene: Scene, handle: str) -> None:
    """Open the network and come in as one of its members."""
    page.goto(scene.network.url)
    page.locator(f"#sign-in-as button[value={handle}]").click()
    expect(page.locator("#feed")).to_be_visible()


def press_link(page: Page, scene: Scene) -> None:
    """Press "Link my account", which leads to the provider."""
    page.locator("#link-account button").click()
    expect(page.locator("form#sign-in, form#consent, main")).not_to_have_count(0)
    assert page.url.startswith(scene.provider.url), page.url


def sign_in(page: Page, person: Person) -> None:
    """Type number and password, then the code."""
    give_password(page, person.number, person.password)
    give_code(page, person.code())


def give_password(page: Page, identifier: str, password: str) -> None:
    page.fill("form#sign-in #identifier", identifier)
    page.fill("form#sign-in #password", password)
    page.locator("form#sign-in button[type=submit]").click()


def give_code(page: Page, code: str) -> None:
    page.fill("form#second-factor #code", code)
    page.locator("form#second-factor button[type=submit]").click()


def decide(page: Page, decision: str) -> None:
    """Press one of the two buttons of the consent page."""
    page.locator(f"form#consent button[name=decision][value={decision}]").click()


def link_account(page: Page, scene: Scene, handle: str, person: Person) -> None:
    """Walk the main job from the network's door to the verified mark."""
    enter_network(page, scene, handle)
    press_link(page, scene)
    sign_in(page, person)
    decide(page, "allow")
    expect(page.locator("#badge-verified")).to_be_visible()
    assert page.url == f"{scene.network.url}/"


def end_link(page: Page, scene: Scene) -> None:
    """End the only link in two clicks, from "My linked accounts"; the person is signed in."""
    page.goto(f"{scene.provider.url}/my/accounts")
    page.locator(".card:has(.status.active) .actions a").last.click()
    page.locator("form#end-link button[type=submit]").click()
