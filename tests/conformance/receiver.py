"""Whom notifications are sent to: an HTTP server that records them."""
import http.server
import json
import threading
import time


class Receiver:
    """answer: what it says to the next request, given their number so far and the request; None: nothing,
    ever. Messages are (headers, body) in the order of arrival, `times` when they came."""

    def __init__(self, answer=lambda number, body: 200):
        self.answer, self.messages, self.times = answer, [], []
        self._changed = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer._changed:
                    status = outer.answer(len(outer.messages), body)
                    outer.messages.append((dict(self.headers), body))
                    outer.times.append(time.monotonic())
                    outer._changed.notify_all()
                if status is None:
                    outer.ended.wait()
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.ended = threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.uri = f"http://127.0.0.1:{self.server.server_port}/notify"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.ended.set()
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count=1, timeout=10):
        """The first `count` messages, when they are there."""
        with self._changed:
            there = self._changed.wait_for(lambda: len(self.messages) >= count, timeout)
            assert there, f"{len(self.messages)} of {count} notifications arrived"
            return list(self.messages[:count])

    def bodies(self, count=1, timeout=10):
        return [body for _, body in self.wait(count, timeout)]

    def entities(self, count, timeout=10):
        """Entities of all messages in order, when there are that many."""
        with self._changed:
            def all_of_them():
                return [e for _, body in self.messages for e in body["data"]]
            there = self._changed.wait_for(lambda: len(all_of_them()) >= count, timeout)
            assert there, f"{len(all_of_them())} of {count} entities arrived"
            return all_of_them()

    def quiet(self, count=0, seconds=0.4):
        """No more than `count` messages come."""
        time.sleep(seconds)
        assert len(self.messages) == count, self.messages
