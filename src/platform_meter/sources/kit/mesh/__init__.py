"""What sources of meshes share: requests, durations and mutual TLS of services, and what stands in the mesh."""
