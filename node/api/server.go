package api

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// Options make a Server. Every field is required but Version and Zone.
type Options struct {
	Backend Backend
	People  People
	Logger  *slog.Logger
	// Metrics takes the API's own metrics and is what GET /metrics shows.
	Metrics *prometheus.Registry
	// Version of the program, told by GET /healthz.
	Version string
	// Zone is that of the site's local days; nil is the machine's.
	Zone *time.Location
}

func (o Options) validate() error {
	switch {
	case o.Backend == nil:
		return errors.New("api: Options.Backend is nil")
	case o.People == nil:
		return errors.New("api: Options.People is nil")
	case o.Logger == nil:
		return errors.New("api: Options.Logger is nil")
	case o.Metrics == nil:
		return errors.New("api: Options.Metrics is nil")
	}
	return nil
}

// Server is the API of one node. It starts no goroutine and holds no connection: whoever serves it drains the calls, and
// says so by Drain first, because some would not end by themselves.
type Server struct {
	drain    sync.Once
	drained  chan struct{} // closed by Drain
	backend  Backend
	people   People
	log      *slog.Logger
	registry *prometheus.Registry
	metrics  *metrics
	version  string
	zone     *time.Location
	routes   *routes
	methods  methods
	intake   *intake
	files    *attachments
	portal   *portal
	gateway  *runtime.ServeMux
}

// New makes the API of a node and registers its metrics.
func New(o Options) (*Server, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	routes, err := newRoutes()
	if err != nil {
		return nil, fmt.Errorf("api: read the routes: %w", err)
	}
	metrics, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("api: register the metrics: %w", err)
	}
	served := &tickets{backend: o.Backend, fields: filterFields()}
	s := &Server{
		drained:  make(chan struct{}),
		backend:  o.Backend,
		people:   o.People,
		log:      o.Logger.With("component", "api"),
		registry: o.Metrics,
		metrics:  metrics,
		version:  o.Version,
		zone:     cmp.Or(o.Zone, time.Local),
		routes:   routes,
		methods:  newMethods(),
		intake:   newIntake(),
		files:    newAttachments(o.Backend, served),
		portal:   newPortal(o.Backend, served),
	}
	if s.gateway, err = newGateway(s); err != nil {
		return nil, fmt.Errorf("api: make the JSON gateway: %w", err)
	}
	return s, nil
}

// Drain ends the streams that last as long as the node: those who watch its health hear that it stops. Calls go on.
func (s *Server) Drain() { s.drain.Do(func() { close(s.drained) }) }

// Register adds the API's services, the health service and reflection to a gRPC server. The services bring their own
// checks along (see guard), so that other services of the same server are not touched by them. Reflection shows every
// service of the server.
func (s *Server) Register(server reflection.GRPCServer) {
	s.registerServices(guard{registrar: server, intercept: s.intercept, stream: s.interceptStream, admit: s.admit})
	grpc_health_v1.RegisterHealthServer(server, health{backend: s.backend, drained: s.drained})
	reflection.Register(server)
}

// registerServices adds the guarded services alone.
func (s *Server) registerServices(guarded guard) {
	served := &tickets{backend: s.backend, fields: filterFields()}
	apipb.RegisterTicketsServer(guarded, served)
	apipb.RegisterRecoveriesServer(guarded, &recoveries{backend: s.backend, tickets: served})
	apipb.RegisterAttachmentsServer(guarded, s.files)
	users := &users{people: s.people, backend: s.backend, clock: time.Now}
	apipb.RegisterSessionsServer(guarded, &sessions{people: s.people, users: users, fields: served.fields})
	apipb.RegisterUsersServer(guarded, users)
	apipb.RegisterAccessTokensServer(guarded, &accessTokens{people: s.people})
	apipb.RegisterAuditsServer(guarded, &audits{backend: s.backend})
	apipb.RegisterSitesServer(guarded, &sites{backend: s.backend})
	apipb.RegisterPublicationsServer(guarded, &publications{backend: s.backend})
	apipb.RegisterTreeServer(guarded, &tree{backend: s.backend})
	apipb.RegisterPoliciesServer(guarded, &policies{backend: s.backend})
	apipb.RegisterRequestersServer(guarded, &requesters{backend: s.backend})
	apipb.RegisterCallBacksServer(guarded, &callBacks{backend: s.backend, clock: time.Now})
	apipb.RegisterSurveysServer(guarded, &surveys{backend: s.backend, tickets: served, clock: time.Now})
	apipb.RegisterNoticesServer(guarded, &notices{backend: s.backend})
	apipb.RegisterDutiesServer(guarded, &duties{backend: s.backend, clock: time.Now})
	apipb.RegisterRoundsServer(guarded, &rounds{backend: s.backend, clock: time.Now})
	apipb.RegisterQueuesServer(guarded, &queues{backend: s.backend, clock: time.Now, zone: s.zone})
	apipb.RegisterPortalServer(guarded, s.portal)
}
