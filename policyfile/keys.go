package policyfile

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// schema is the package of the messages of a policy.
const schema = "tierdesk.desk.v1."

// key is a field under the name that it has in YAML.
type key struct {
	name  string
	field protoreflect.FieldDescriptor
}

// keys are the fields of a message that people write, in the order in which they are written.
type keys []key

// keysOf lists the fields of a message. Of a ticket, in a template, these are the ones that its author may say.
func keysOf(message protoreflect.MessageDescriptor) keys {
	var found keys
	fields := message.Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		name := string(field.Name())
		switch {
		case field.FullName() == schema+"Round.minute":
			name = "at"
		case field.FullName() == schema+"Policy.edition":
			continue
		case message.FullName() == schema+"Ticket" && !slices.Contains(templateKeys(), name):
			continue
		case message.FullName() == schema+"Requester" && name == "id":
			continue
		}
		found = append(found, key{name, field})
	}
	return found
}

// templateKeys are the fields of a ticket that a template gives.
func templateKeys() []string {
	return []string{
		"kind", "title", "description", "category", "application", "application_version", "configuration_item", "service", "tags", "requester",
		"channel", "impact", "urgency", "severity", "major", "visit", "group", "fields",
	}
}

// index finds a key, -1 when there is none.
func (k keys) index(name string) int {
	return slices.IndexFunc(k, func(key key) bool { return key.name == name })
}

func (k keys) list() string {
	names := make([]string, len(k))
	for i := range k {
		names[i] = k[i].name
	}
	return strings.Join(names, ", ")
}
