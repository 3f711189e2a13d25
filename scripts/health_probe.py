"""The container's health check: asks gRPC's own health service, exits 0 only for SERVING.

Needs nothing but grpcio. The empty request asks for the server as a whole; the expected answer is
HealthCheckResponse{status: SERVING} as bytes: field 1, varint 1.
"""

import sys

import grpc

SERVING = b"\x08\x01"


def main() -> int:
    """Probe `127.0.0.1:50051`, or the address given as the only argument."""
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    with grpc.insecure_channel(address) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", bytes, bytes)
        try:
            return 0 if check(b"", timeout=2) == SERVING else 1
        except grpc.RpcError as error:
            print(f"{address}: {error.code().name}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
