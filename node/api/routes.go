package api

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/tierdesk/tierdesk/node/api/apipb"
)

// route is one HTTP call of the API, as the schema's annotations name it.
type route struct {
	method   string // GET, POST, PATCH or DELETE
	template string // "/api/v1/tickets/{number}:assign"
	rpc      string // full gRPC name, "/tierdesk.v1.Tickets/AssignTicket"
	segments []string
	verb     string          // what stands behind the last colon; empty for none
	query    map[string]bool // parameters that it knows, in JSON spelling; nil for a call whose body is all of it
}

// routes are all HTTP calls of the API. They let unknown paths, methods and query parameters be refused exactly, which
// the gateway leaves open.
type routes struct {
	all   []*route
	byRPC map[string]*route
}

func newRoutes() (*routes, error) {
	found := &routes{byRPC: make(map[string]*route)}
	files := []protoreflect.FileDescriptor{
		apipb.File_node_api_apipb_tickets_proto, apipb.File_node_api_apipb_attachments_proto, apipb.File_node_api_apipb_site_proto, apipb.File_node_api_apipb_recovery_proto,
		apipb.File_node_api_apipb_tree_proto, apipb.File_node_api_apipb_requesters_proto, apipb.File_node_api_apipb_rounds_proto,
		apipb.File_node_api_apipb_notices_proto, apipb.File_node_api_apipb_policy_proto, apipb.File_node_api_apipb_people_proto,
		apipb.File_node_api_apipb_audit_proto, apipb.File_node_api_apipb_queues_proto, apipb.File_node_api_apipb_portal_proto,
	}
	for _, file := range files {
		for i := range file.Services().Len() {
			methods := file.Services().Get(i).Methods()
			for j := range methods.Len() {
				if streamed := methods.Get(j); streamed.IsStreamingServer() || streamed.IsStreamingClient() {
					found.addStreamed(streamed)
					continue
				}
				r, err := newRoute(methods.Get(j))
				if err != nil {
					return nil, err
				}
				found.all = append(found.all, r)
				found.byRPC[r.rpc] = r
			}
		}
	}
	return found, nil
}

// addStreamed notes a method that is served over gRPC only: one whose caller sends a stream changes something.
func (rs *routes) addStreamed(method protoreflect.MethodDescriptor) {
	r := &route{rpc: fullName(method), method: http.MethodGet}
	if method.IsStreamingClient() {
		r.method = http.MethodPost
	}
	rs.byRPC[r.rpc] = r
}

// fullName is the name by which gRPC calls a method, "/package.Service/Method".
func fullName(method protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("/%s/%s", method.Parent().FullName(), method.Name())
}

func newRoute(method protoreflect.MethodDescriptor) (*route, error) {
	rule, ok := proto.GetExtension(method.Options(), annotations.E_Http).(*annotations.HttpRule)
	if !ok || rule == nil {
		return nil, fmt.Errorf("method %s has no HTTP rule", method.FullName())
	}
	r := &route{rpc: fullName(method)}
	switch pattern := rule.GetPattern().(type) {
	case *annotations.HttpRule_Get:
		r.method, r.template = http.MethodGet, pattern.Get
	case *annotations.HttpRule_Post:
		r.method, r.template = http.MethodPost, pattern.Post
	case *annotations.HttpRule_Patch:
		r.method, r.template = http.MethodPatch, pattern.Patch
	case *annotations.HttpRule_Delete:
		r.method, r.template = http.MethodDelete, pattern.Delete
	default:
		return nil, fmt.Errorf("method %s has an HTTP rule of an unknown kind", method.FullName())
	}
	path, verb := cutVerb(r.template)
	r.verb = verb
	r.segments = strings.Split(path, "/")
	if body := rule.GetBody(); body != "*" {
		r.query = make(map[string]bool)
		fields := method.Input().Fields()
		for i := range fields.Len() {
			if name := fields.Get(i).JSONName(); name != body && !slices.Contains(r.segments, "{"+name+"}") {
				r.query[name] = true
			}
		}
	}
	return r, nil
}

// cutVerb separates the verb from the last segment of a path.
func cutVerb(path string) (rest, verb string) {
	if colon := strings.LastIndexByte(path, ':'); colon > strings.LastIndexByte(path, '/') {
		return path[:colon], path[colon+1:]
	}
	return path, ""
}

// find returns the route of a call. When the path is known with other methods only, these are returned instead.
func (rs *routes) find(method, path string) (found *route, others []string) {
	rest, verb := cutVerb(path)
	segments := strings.Split(rest, "/")
	for _, r := range rs.all {
		if r.verb != verb || !r.matches(segments) {
			continue
		}
		if r.method == method {
			return r, nil
		}
		others = append(others, r.method)
	}
	return nil, others
}

func (r *route) matches(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		if strings.HasPrefix(want, "{") {
			if segments[i] == "" {
				return false
			}
		} else if segments[i] != want {
			return false
		}
	}
	return true
}

// parameters lists the query parameters that the route knows, sorted.
func (r *route) parameters() []string {
	return slices.Sorted(maps.Keys(r.query))
}

// writes tells whether the gRPC method changes something.
func (rs *routes) writes(rpc string) bool {
	r, ok := rs.byRPC[rpc]
	return ok && r.method != http.MethodGet
}
