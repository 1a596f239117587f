package api

import "github.com/tierdesk/tierdesk/node/api/apipb"

// audits serves the audit log.
type audits struct {
	apipb.UnimplementedAuditsServer
	backend Backend
}
