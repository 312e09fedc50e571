"""An HTTP server of @contexts, for tests that let the city fetch some."""
import http.server
import json
import threading


class Origin:
    """Serves documents of @contexts and counts who asks for them."""

    def __init__(self):
        self.answers, self.asked = {}, []
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                origin.asked.append(self.path)
                status, headers, body = origin.answers.get(self.path, (404, {}, b""))
                if callable(body):
                    body = body()
                self.send_response(status)
                for name, value in {"Content-Type": "application/ld+json", "Content-Length": str(len(body)),
                                    **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass  # the city hung up, as it may

            def log_message(self, *arguments):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def serve(self, path, context, status=200, **headers):
        """The URL at which that @context is from now on."""
        body = json.dumps({"@context": context}).encode() if not isinstance(context, bytes) else context
        self.answers[path] = (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)
        return self.url + path
