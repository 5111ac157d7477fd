"""Python's urllib.request against examples/cmwell with the flag `md5`: its HTTPDigestAuthHandler, as it is, which reads the first challenge alone.

    EXECUTABLE=../../../target/debug/cmwell python3 -m unittest urllib_test
"""

import base64
import http.server
import json
import os
import subprocess
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

TIMEOUT = 30


class Example:
    """The example with settings of its own, on a free port and with an empty database."""

    def __init__(self, **settings):
        self.folder = tempfile.TemporaryDirectory()
        database = os.path.join(self.folder.name, "test.db")
        environment = {**os.environ, "PORT": "0", "DEVELOPMENT": "1", "DATABASE": database, **settings}
        executable = os.environ["EXECUTABLE"]
        self.process = subprocess.Popen([executable], env=environment, stdout=subprocess.PIPE, text=True)
        for line in self.process.stdout:
            if line.startswith("READY "):
                self.url = line.split()[1]
                break
        # What it prints later is read, so that it never waits for a full pipe.
        self.reader = threading.Thread(target=self.process.stdout.read, daemon=True)
        self.reader.start()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.reader.join(TIMEOUT)
        self.process.stdout.close()
        self.folder.cleanup()


class Proxy(http.server.BaseHTTPRequestHandler):
    """A proxy that passes on what it gets, with the request line in absolute form as it was sent."""

    def do_GET(self):
        host = self.headers["Host"]
        connection = http.client.HTTPConnection(host, timeout=TIMEOUT)
        connection.putrequest("GET", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        body = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def opener(url, password="myPassword", proxy=None):
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, url, "myUser", password)
    handlers = [urllib.request.HTTPDigestAuthHandler(passwords)]
    handlers.append(urllib.request.ProxyHandler({"http": proxy} if proxy else {}))
    return urllib.request.build_opener(*handlers)


class Login(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.example = Example(LEGACY="md5")

    @classmethod
    def tearDownClass(cls):
        cls.example.stop()

    def assert_logs_in(self, answer):
        self.assertEqual(answer.status, 200)
        payload = json.load(answer)["token"].split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.assertEqual(claims["sub"], "myUser")

    def test_digest(self):
        client = opener(self.example.url)
        for path in ["/_login", "/_login?exp=3d%205h", "/_login"]:
            self.assert_logs_in(client.open(self.example.url + path, timeout=TIMEOUT))

    def test_a_wrong_password_is_refused(self):
        with self.assertRaises(urllib.error.HTTPError) as refused:
            opener(self.example.url, "wrong").open(self.example.url + "/_login", timeout=TIMEOUT)
        self.assertEqual(refused.exception.code, 401)

    def test_through_a_proxy_with_the_absolute_form(self):
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            client = opener(self.example.url, proxy=f"http://127.0.0.1:{proxy.server_port}")
            self.assert_logs_in(client.open(self.example.url + "/_login?exp=1d", timeout=TIMEOUT))
        finally:
            proxy.shutdown()
            proxy.server_close()


class BehindAPrefix(unittest.TestCase):
    """A proxy serves the app below /app, and cuts that off."""

    def test_the_whole_path_is_signed(self):
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), CuttingProxy)
        url = f"http://127.0.0.1:{proxy.server_port}/app"
        example = Example(LEGACY="md5", PUBLIC_URL=url)
        CuttingProxy.inner = example.url
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        try:
            with opener(url).open(url + "/_login?exp=1d", timeout=TIMEOUT) as answer:
                self.assertEqual(answer.status, 200)
        finally:
            proxy.shutdown()
            proxy.server_close()
            example.stop()


class CuttingProxy(Proxy):
    inner = None

    def do_GET(self):
        self.path = self.path.removeprefix("/app")
        self.headers.replace_header("Host", self.inner.removeprefix("http://"))
        super().do_GET()


if __name__ == "__main__":
    unittest.main()
