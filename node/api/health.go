package api

import (
	"context"

	"google.golang.org/grpc/health/grpc_health_v1"
)

// health answers the gRPC health check for the node as a whole, whatever service is asked about. Watch is not offered:
// a client that asks for it is told so and polls Check.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	backend Backend
}

func (h health) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	answer := &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}
	if len(h.backend.Ready(ctx)) > 0 {
		answer.Status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return answer, nil
}
