package client

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

const (
	defaultServer  = "127.0.0.1:7400"
	defaultTimeout = 10 * time.Second
	// A page of 500 tickets, each with its longest description, fits.
	maxAnswerBytes = 64 << 20
)

// target says where to call and as whom.
type target struct {
	server  string        // host:port, http://host[:port] or https://host[:port]
	ca      string        // file with the certificates to trust; empty: the system's
	token   string        // empty: not signed in
	timeout time.Duration // of each call, its repetitions included
	once    bool          // whoever calls repeats calls by itself
}

// connection is a node's API. Its errors are Failures.
type connection struct {
	tickets  apipb.TicketsClient
	sessions apipb.SessionsClient
	users    apipb.UsersClient
	tokens   apipb.AccessTokensClient
	sites    apipb.SitesClient
	// recoveries is what operators use around the loss of a site.
	recoveries   apipb.RecoveriesClient
	publications apipb.PublicationsClient
	attachments  apipb.AttachmentsClient
	tree         apipb.TreeClient
	policies     apipb.PoliciesClient
	requesters   apipb.RequestersClient
	callBacks    apipb.CallBacksClient
	surveys      apipb.SurveysClient
	rounds       apipb.RoundsClient
	notices      apipb.NoticesClient
	duties       apipb.DutiesClient
	queues       apipb.QueuesClient
	audits       apipb.AuditsClient
	conn         *grpc.ClientConn
}

// connect prepares calls; the first one opens the connection.
func connect(t target) (*connection, error) {
	address, encrypted, err := parseServer(t.server)
	if err != nil {
		return nil, err
	}
	if t.ca != "" && strings.HasPrefix(t.server, "http://") {
		return nil, Usage("--ca is for https and --server is %s: write https:// or leave --ca out", t.server)
	}
	transport := insecure.NewCredentials()
	if encrypted || t.ca != "" {
		if transport, err = trust(t.ca); err != nil {
			return nil, err
		}
	}
	if !tokenCharacters(t.token) {
		return nil, Usage("the token holds characters that no token has: copy it again from tierdesk token create")
	}
	if t.timeout <= 0 {
		return nil, Usage("--timeout is %s: give a time above zero, such as 10s", t.timeout)
	}
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(transport),
		grpc.WithUserAgent("tierdesk"),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswerBytes)),
		grpc.WithUnaryInterceptor(t.intercept))
	if err != nil {
		return nil, Usage("--server %s: %v", t.server, err)
	}
	return &connection{
		tickets:  apipb.NewTicketsClient(conn),
		sessions: apipb.NewSessionsClient(conn),
		users:    apipb.NewUsersClient(conn),
		tokens:   apipb.NewAccessTokensClient(conn),
		sites:    apipb.NewSitesClient(conn),

		recoveries:   apipb.NewRecoveriesClient(conn),
		publications: apipb.NewPublicationsClient(conn),
		attachments:  apipb.NewAttachmentsClient(conn),
		tree:         apipb.NewTreeClient(conn),
		policies:     apipb.NewPoliciesClient(conn),
		requesters:   apipb.NewRequestersClient(conn),
		callBacks:    apipb.NewCallBacksClient(conn),
		surveys:      apipb.NewSurveysClient(conn),
		rounds:       apipb.NewRoundsClient(conn),
		notices:      apipb.NewNoticesClient(conn),
		duties:       apipb.NewDutiesClient(conn),
		queues:       apipb.NewQueuesClient(conn),
		audits:       apipb.NewAuditsClient(conn),
		conn:         conn,
	}, nil
}

func (c *connection) close() error { return c.conn.Close() }

// parseServer splits what --server takes into an address and whether the scheme asks for TLS.
func parseServer(server string) (address string, encrypted bool, err error) {
	wrong := Usage("--server %s: write host:port, http://host:port or https://host:port", server)
	if !strings.Contains(server, "://") {
		if host, port, err := net.SplitHostPort(server); err != nil || host == "" || port == "" {
			return "", false, wrong
		}
		return server, false, nil
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return "", false, wrong
	}
	port := u.Port()
	switch u.Scheme {
	case "http":
		if port == "" {
			port = "80"
		}
	case "https":
		encrypted = true
		if port == "" {
			port = "443"
		}
	default:
		return "", false, wrong
	}
	return net.JoinHostPort(u.Hostname(), port), encrypted, nil
}

// trust makes TLS credentials that accept what the file's certificates signed.
func trust(file string) (credentials.TransportCredentials, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, Usage("--ca: %v", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, Usage("--ca %s holds no certificate: give a file in PEM form", file)
		}
	}
	return credentials.NewTLS(config), nil
}

// tokenCharacters tells whether the text can stand in a header.
func tokenCharacters(token string) bool {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return false
		}
	}
	return true
}
