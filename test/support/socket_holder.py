"""A service manager as far as socket activation goes: it keeps the listening socket, and starts proxies on it.

Arguments: the backlog, then the names of the sockets. Prints a JSON line with the port of each. On standard input, one
line each: a command to start, as a JSON array; at its end all of them are killed. A child gets the sockets from
descriptor 3 on (sd_listen_fds(3)).
"""
import json, os, signal, socket, sys

names = sys.argv[2:]
sockets = []
for _ in names:
    listening = socket.socket()
    listening.bind(('127.0.0.1', 0))
    listening.listen(int(sys.argv[1]))
    sockets.append(listening)
children = []
print(json.dumps({'ports': [one.getsockname()[1] for one in sockets]}), flush=True)

for line in sys.stdin:
    command = json.loads(line)
    if (child := os.fork()) != 0:
        children.append(child)
        continue
    # Out of the way first: descriptor 3 may be one of the sockets itself.
    high = [os.dup2(one.fileno(), 100 + at) for at, one in enumerate(sockets)]
    for at, fd in enumerate(high):
        os.dup2(fd, 3 + at, inheritable=True)
        os.close(fd)
    env = {**os.environ, 'LISTEN_FDS': str(len(names)), 'LISTEN_FDNAMES': ':'.join(names), 'LISTEN_PID': str(os.getpid())}
    print(json.dumps({'pid': os.getpid()}), flush=True)
    os.execve(command[0], command, env)

# A test that failed has left its proxies running. None of them was waited for, so each number is still theirs.
for child in children:
    os.kill(child, signal.SIGKILL)
