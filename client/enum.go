package client

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// enumeration is a flag that takes a protobuf enumeration's value by name, in lower or upper case, with - or _.
type enumeration struct {
	values protoreflect.EnumValueDescriptors
	set    func(protoreflect.EnumNumber)
	given  string
}

// enumFlag makes a flag that writes to target.
func enumFlag[E interface {
	~int32
	protoreflect.Enum
}](target *E) *enumeration {
	return &enumeration{
		values: (*target).Descriptor().Values(),
		set:    func(n protoreflect.EnumNumber) { *target = E(n) },
	}
}

func (e *enumeration) String() string { return e.given }

func (e *enumeration) Type() string { return "name" }

func (e *enumeration) Set(given string) error {
	name := protoreflect.Name(strings.ReplaceAll(strings.ToUpper(given), "-", "_"))
	value := e.values.ByName(name)
	if value == nil || value.Number() == 0 {
		return fmt.Errorf("use one of %s", e.choices())
	}
	e.set(value.Number())
	e.given = given
	return nil
}

// choices lists the names in the order of their numbers; number 0 stands for nothing and is none of them.
func (e *enumeration) choices() string {
	var names []string
	for i := range e.values.Len() {
		if value := e.values.Get(i); value.Number() != 0 {
			names = append(names, strings.ToLower(string(value.Name())))
		}
	}
	return strings.Join(names, ", ")
}
