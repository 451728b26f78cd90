"""Requests on new connections, two at a time, until the file exists. Prints what became of them, as JSON."""
import json, os, socket, sys, threading

counts = {}


def ask():
    while not os.path.exists(sys.argv[1]):
        try:
            with socket.create_connection(('127.0.0.1', 80), timeout=30) as connection:
                connection.sendall(b'GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n')
                answer = b''
                while chunk := connection.recv(4096):
                    answer += chunk
            what = answer.split(b'\r\n')[0].decode() or 'closed'
        except OSError as error:
            what = type(error).__name__
        counts[what] = counts.get(what, 0) + 1


threads = [threading.Thread(target=ask) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(json.dumps(counts))
