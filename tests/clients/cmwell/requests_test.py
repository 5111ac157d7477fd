"""Python's requests against examples/cmwell: HTTPBasicAuth and HTTPDigestAuth, as they are.

    BASE_URL=http://127.0.0.1:3000 python3 -m unittest requests_test        # Debian: python3-requests
"""

import base64
import json
import os
import unittest
import uuid

import requests
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

BASE_URL = os.environ["BASE_URL"].rstrip("/")
PASSWORD = "correct horse battery"
TIMEOUT = 30


def get(path, **options):
    return requests.get(BASE_URL + path, timeout=TIMEOUT, **options)


def post(path, body, **options):
    answer = requests.post(BASE_URL + path, json=body, timeout=TIMEOUT, **options)
    answer.raise_for_status()
    return answer


def claims(answer):
    payload = answer.json()["token"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def sign_up(name):
    """A new user who has turned Digest on."""
    post("/api/users", {"email": f"{uuid.uuid4()}@example.com", "username": name, "password": PASSWORD})
    # As bytes: requests writes a str in ISO 8859-1.
    token = get("/_login", auth=HTTPBasicAuth(name.encode(), PASSWORD.encode())).json()["token"]
    post("/me/digest", {"password": PASSWORD}, headers={"X-CM-WELL-TOKEN": token})


class Login(unittest.TestCase):
    def test_basic(self):
        answer = get("/_login?exp=3d 5h", auth=("myUser", "myPassword"))
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(claims(answer)["sub"], "myUser")

    def test_digest_answers_a_challenge_by_itself(self):
        for path in ["/_login", "/_login?exp=30d", "/_login?exp=2h30m&x=a%2Fb"]:
            answer = get(path, auth=HTTPDigestAuth("myUser", "myPassword"))
            self.assertEqual(answer.status_code, 200, answer.text)
            self.assertEqual([earlier.status_code for earlier in answer.history], [401])
            sent = answer.request.headers["Authorization"]
            self.assertIn('algorithm="SHA-256"', sent)
            self.assertIn('qop="auth"', sent)
            me = get("/me", headers={"X-CM-WELL-TOKEN": answer.json()["token"]})
            self.assertEqual(me.json()["username"], "myUser")

    def test_a_session_goes_on_with_its_nonce_and_counts(self):
        auth = HTTPDigestAuth("myUser", "myPassword")
        with requests.Session() as session:
            session.auth = auth
            counts = []
            for _ in range(3):
                answer = session.get(BASE_URL + "/_login", timeout=TIMEOUT)
                self.assertEqual(answer.status_code, 200, answer.text)
                counts.append(answer.request.headers["Authorization"].split("nc=")[1].split(",")[0])
        self.assertEqual(counts, ["00000001", "00000002", "00000003"])

    def test_a_wrong_password_is_refused_and_asked_for_again(self):
        for auth in [HTTPDigestAuth("myUser", "wrong"), HTTPBasicAuth("myUser", "wrong")]:
            answer = get("/_login", auth=auth)
            self.assertEqual(answer.status_code, 401)
            self.assertIn("Digest ", answer.headers["WWW-Authenticate"])
            self.assertNotIn("stale", answer.headers["WWW-Authenticate"])

    def test_names_of_all_kinds(self):
        unique = uuid.uuid4().hex[:8]
        # requests quotes nothing in a name, and cannot send by Digest what ISO 8859-1 does not have.
        for name in [f"a.b@x-{unique}.org", f"Jürgen Müller {unique}"]:
            sign_up(name)
            answer = get("/_login", auth=HTTPDigestAuth(name, PASSWORD))
            self.assertEqual(answer.status_code, 200, answer.text)
            self.assertEqual(claims(answer)["sub"], name)
        name = f"用户{unique}"
        sign_up(name)
        answer = get("/_login", auth=HTTPBasicAuth(name.encode(), PASSWORD.encode()))
        self.assertEqual(claims(answer)["sub"], name)


if __name__ == "__main__":
    unittest.main()
