"""Requests of all kinds that carry secrets, each remembered by its kind: once they go well, later nothing does."""

from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from authserver.protocol import credential, own_api
from authserver.protocol.audit import Event
from authserver.protocol.role import Permission
from authserver.services.own_api import enable
from authserver.web.admin.roles import ACTS
from tests.conformance.flow import PUBLIC, Flow
from tests.conformance.signer import Signer
from tests.conformance.site import ISSUER, PASSWORD, Site
from tests.conformance.visitor import Visitor
from tests.web.backchannel.test_client_credentials import SECRET, Machine, machine
from tests.web.pages.factor_owner import Person, answer, half_way

RESOURCE = own_api.identifier(ISSUER)
EVENT = Event("test.done", "system")
WRONG_PASSWORD = "a password that was mistyped"
NEW_PASSWORD = "a word typed where the name belongs"


@dataclass
class Carrier:
    """Sends secrets to ``site``. ``known`` are all that were sent or given, by kind; ``answers`` is what came back."""

    site: Site
    known: dict[str, str] = field(default_factory=dict)
    answers: list[TestResponse] = field(default_factory=list)
    flow: Flow = field(init=False)
    visitor: Visitor = field(init=False)
    robot: Machine = field(init=False)

    def go_well(self) -> None:
        """What people and programs do, all of it in order."""
        self._connect()
        self._enter_with_a_factor()
        self._work_without_a_person()

    def move(self, site: Site) -> None:
        """Go on with all of it at *site*, another process of the same deployment."""
        visitor = Visitor(site)
        visitor.http._cookies = self.visitor.http._cookies
        self.site = self.flow.site = site
        self.visitor, self.robot = visitor, replace(self.robot, site=site)

    def go_wrong(self) -> None:
        """The same requests and others like them: each is refused, or fails."""
        for send in (self._tokens_again, self._pages_again, self._keys_again):
            send()

    def _connect(self) -> None:
        ticket = credential.mint(credential.Prefix.INITIAL_ACCESS)
        self.site.deployment.stores.initial_access_tokens.add(credential.digest(ticket), "CI", None, None, EVENT)
        self.flow, self.visitor = Flow(self.site), Visitor(self.site)
        body = {**PUBLIC, "token_endpoint_auth_method": "client_secret_post"}
        made = self.site.post("/register", json=body, headers={"Authorization": f"Bearer {ticket}"})
        assert made.status_code == 201
        self.flow.client = made.json
        self.flow.values |= {name: made.json[name] for name in ("client_id", "client_secret")}
        self.flow.allow(self.visitor)
        first = self.flow.token(client_secret=made.json["client_secret"]).json
        self.flow.values |= first
        second = self.flow.refresh(client_secret=made.json["client_secret"]).json
        values = {name: self.flow.values[name] for name in ("code", "code_verifier", "client_secret", "state")}
        tokens = {"first refresh": first["refresh_token"], "refresh": second["refresh_token"]}
        self.known |= {**values, **tokens, "initial access": ticket, "access": second["access_token"]}
        self.known |= {"registration": made.json["registration_access_token"], "password": PASSWORD}
        self._know_cookies("visitor", self.visitor)

    def _enter_with_a_factor(self) -> None:
        person = Person(self.site)
        person.add_app()
        recovery = person.recovery_codes()[0]
        assert answer(half_way(person), recovery).status_code == 200
        self.known |= {"one-time": person.secret, "recovery": recovery}
        self._know_cookies("person", person.browser)

    def _work_without_a_person(self) -> None:
        enable(self.site.deployment.stores.resources, ISSUER, ACTS, EVENT)
        scopes = tuple(own_api.scope_of(each) for each in Permission)
        robot = machine(self.site, ceilings={RESOURCE: scopes})
        token = robot.ask(resource=RESOURCE).json["access_token"]
        assert self._api(token).status_code == 200
        signer = Signer.new()
        keyed = machine(self.site, signer)
        assertion = signer.assertion(keyed.client.client_id)
        form = {
            "client_assertion": assertion,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        }
        assert self._ask(form).status_code == 200
        self.known |= {"API": token, "assertion": assertion, "machine": SECRET}
        self.robot = robot

    def _tokens_again(self) -> None:
        known, values = self.known, self.flow.values
        post = {"client_id": values["client_id"], "client_secret": known["client_secret"]}
        for form in (
            {
                "grant_type": "authorization_code",
                "code": known["code"],
                "code_verifier": known["code_verifier"],
                **post,
            },
            {"grant_type": "refresh_token", "refresh_token": known["first refresh"], **post},
            {"grant_type": "refresh_token", "refresh_token": known["refresh"], **post, "client_secret": WRONG_PASSWORD},
            {"grant_type": known["refresh"], "client_id": known["client_secret"]},
            {
                "grant_type": "client_credentials",
                "scope": known["refresh"],
                "resource": f"https://x/?k={known['code']}",
                **post,
            },
        ):
            self.answers.append(self._ask(form))
        for path in ("/revoke", "/introspect"):
            for token in (known["refresh"], known["access"]):
                self.answers.append(self.site.post(path, data={"token": token, **post}))
                self.answers.append(self.site.get(f"{path}?token={token}"))
        bearer = {"Authorization": f"Bearer {known['registration']}"}
        manage = f"/register/{values['client_id']}"
        self.answers += [self.site.get(manage, headers=bearer), self.site.get(f"/register/{known['registration']}")]
        self.answers.append(
            self.site.post("/register", json=PUBLIC, headers={"Authorization": f"Bearer {known['initial access']}"})
        )

    def _pages_again(self) -> None:
        known = self.known
        self.known |= {"wrong password": WRONG_PASSWORD, "password as name": NEW_PASSWORD}
        another = Visitor(self.site, NEW_PASSWORD)
        self.answers.append(another.open("/account/connections"))
        self.answers.append(
            self.visitor.open(self.flow.url(state=known["state"], code_challenge=known["code_verifier"]))
        )
        self.answers.append(
            self.visitor.open(self.flow.url(redirect_uri=f"http://127.0.0.1/other?token={known['access']}"))
        )
        self.answers.append(self.visitor.http.post("/sign-in", data={"username": "ada", "password": WRONG_PASSWORD}))
        self.answers.append(self.visitor.http.get(f"/account/reset?link={known['refresh']}"))
        self.answers.append(self.visitor.http.get("/account/connections", headers={"Authorization": known["password"]}))
        self.answers.append(self.visitor.open("/account/security"))

    def _keys_again(self) -> None:
        self.answers.append(
            self._ask(
                {
                    "grant_type": "client_credentials",
                    "client_assertion": self.known["assertion"],
                    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                }
            )
        )
        self.answers.append(self.robot.ask(resource=RESOURCE))
        self.answers.append(self._api(self.known["API"], id=self.known["client_secret"]))
        bearer = {"Authorization": f"Bearer {self.known['API']}"}
        wrong = {"name": self.known["password"], "unheard_of": self.known["client_secret"]}
        self.answers.append(self.site.post(f"{own_api.PATH}/clients", json=wrong, headers=bearer))
        self.answers.append(self.site.get("/metrics", headers={"Authorization": f"Bearer {self.known['API']}"}))

    def _ask(self, form: dict[str, Any]) -> TestResponse:
        return self.site.post("/token", data={"grant_type": "client_credentials", **form})

    def _api(self, token: str, **query: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {token}"}
        return self.site.get(f"{own_api.PATH}/clients", headers=headers, query_string=query)

    def _know_cookies(self, whose: str, visitor: Visitor) -> None:
        host = urlsplit(ISSUER).hostname or ""
        for cookie in visitor.http._cookies.values():
            if len(cookie.value) > 12 and cookie.domain == host:
                self.known[f"cookie {cookie.key} of {whose}"] = cookie.value
