package api

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// watchPause lies between two looks for those who watch the node's health.
const watchPause = time.Second

// health answers the gRPC health protocol: every service of the API stands as the node as a whole does, which is named "".
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	backend Backend
	drained <-chan struct{} // closed when the node stops; ends every watch
}

// healthNames lists what may be asked about.
func healthNames() []string {
	return []string{
		"", apipb.Tickets_ServiceDesc.ServiceName, apipb.Sessions_ServiceDesc.ServiceName,
		apipb.Users_ServiceDesc.ServiceName, apipb.Sites_ServiceDesc.ServiceName, apipb.Recoveries_ServiceDesc.ServiceName,
	}
}

// knowsHealth tells whether a service may be asked about.
func knowsHealth(service string) bool {
	for _, name := range healthNames() {
		if name == service {
			return true
		}
	}
	return false
}

// Check tells how the service stands now; NotFound, as the protocol has it, when there is no such service.
func (h health) Check(ctx context.Context, r *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	if !knowsHealth(r.GetService()) {
		return nil, status.Errorf(codes.NotFound, "there is no service %.100q; leave the name empty to ask about the node", r.GetService())
	}
	return h.now(ctx), nil
}

// List tells how every service stands.
func (h health) List(ctx context.Context, _ *grpc_health_v1.HealthListRequest) (*grpc_health_v1.HealthListResponse, error) {
	answer := &grpc_health_v1.HealthListResponse{Statuses: make(map[string]*grpc_health_v1.HealthCheckResponse)}
	now := h.now(ctx)
	for _, name := range healthNames() {
		answer.Statuses[name] = now
	}
	return answer, nil
}

// Watch tells at once how the service stands, and again whenever that has changed, until the caller leaves. A service
// that is not there is told as such and watched on, as the protocol has it. A node that stops says so and ends the stream.
func (h health) Watch(r *grpc_health_v1.HealthCheckRequest, stream grpc_health_v1.Health_WatchServer) error {
	ctx := stream.Context()
	told := grpc_health_v1.HealthCheckResponse_UNKNOWN
	tick := time.NewTicker(watchPause)
	defer tick.Stop()
	for {
		answer := &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVICE_UNKNOWN}
		if knowsHealth(r.GetService()) {
			answer = h.now(ctx)
		}
		if ctx.Err() != nil {
			return status.FromContextError(ctx.Err()).Err()
		}
		if answer.GetStatus() != told {
			if err := stream.Send(answer); err != nil {
				return err
			}
			told = answer.GetStatus()
		}
		select {
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		case <-h.drained:
			return leave(stream, told)
		case <-tick.C:
		}
	}
}

// leave tells who watches that the node stops.
func leave(stream grpc_health_v1.Health_WatchServer, told grpc_health_v1.HealthCheckResponse_ServingStatus) error {
	if told == grpc_health_v1.HealthCheckResponse_SERVING {
		answer := &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_NOT_SERVING}
		if err := stream.Send(answer); err != nil {
			return err
		}
	}
	return status.Error(codes.Unavailable, "the node is stopping; watch another one")
}

func (h health) now(ctx context.Context) *grpc_health_v1.HealthCheckResponse {
	ctx, cancel := withDeadline(ctx)
	defer cancel()
	answer := &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}
	if len(h.backend.Ready(ctx)) > 0 {
		answer.Status = grpc_health_v1.HealthCheckResponse_NOT_SERVING
	}
	return answer
}
