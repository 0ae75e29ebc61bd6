// SPDX-License-Identifier: Apache-2.0
//! What Durward reads into a statement that Cedar alone would not: the id `*`, and a resource that
//! has several names.
//!
//! Every entity of a request is in `Type::"*"`, and the resource is in each of its names. So:
//!
//! - `X == Type::"*"` becomes `X in Type::"*"`; `!=` its opposite;
//! - `resource == Type::"id"` becomes `resource in Type::"id"`;
//! - `resource is Type` becomes `resource in Type::"*"`.

use std::sync::Arc;

use cedar_policy::Policy;
use cedar_policy::pst::{
    ActionConstraint, BinaryOp, Clause, EntityOrSlot, EntityType, EntityUID, Expr, Literal,
    PrincipalConstraint, ResourceConstraint, StaticPolicy, Template, UnaryOp, Var,
};

use super::names::ANY;
use super::size;

/// The statement with those changes, and how deep its conditions nest then.
pub(super) fn rewrite(policy: &Policy) -> Result<(Policy, usize), String> {
    let parsed = policy.to_pst().map_err(|error| error.to_string())?;
    size::levels(parsed.body().clauses().iter())?;
    let mut body: Template = parsed.body().clone();
    let mut clauses = Vec::new();
    body.principal = match body.principal {
        PrincipalConstraint::Eq(EntityOrSlot::Entity(name)) if name.eid == ANY => {
            PrincipalConstraint::In(EntityOrSlot::Entity(name))
        }
        other => other,
    };
    body.action = match body.action {
        ActionConstraint::Eq(name) if name.eid == ANY => ActionConstraint::In(vec![name]),
        other => other,
    };
    body.resource = match body.resource {
        ResourceConstraint::Eq(name) => ResourceConstraint::In(name),
        ResourceConstraint::Is(kind) => ResourceConstraint::In(EntityOrSlot::Entity(any_of(kind))),
        ResourceConstraint::IsIn(kind, name) => {
            let resource = Arc::new(Expr::Var(Var::Resource));
            clauses.push(Clause::When(within(resource, any_of(kind))));
            ResourceConstraint::In(name)
        }
        other => other,
    };
    clauses.extend(body.clauses().iter().map(|clause| match clause {
        Clause::When(expression) => Clause::When(expression_of(expression)),
        Clause::Unless(expression) => Clause::Unless(expression_of(expression)),
    }));
    let levels = size::levels(clauses.iter())?;
    let body = body
        .try_with_clauses(clauses)
        .map_err(|error| error.to_string())?;
    let changed = StaticPolicy::try_from(body).map_err(|error| error.to_string())?;
    let policy = Policy::from_pst(changed.into()).map_err(|error| error.to_string())?;
    Ok((policy, levels))
}

fn any_of(kind: EntityType) -> EntityUID {
    EntityUID {
        ty: kind,
        eid: ANY.into(),
    }
}

fn within(left: Arc<Expr>, name: EntityUID) -> Arc<Expr> {
    Arc::new(Expr::BinaryOp {
        op: BinaryOp::In,
        left,
        right: Arc::new(Expr::Literal(Literal::EntityUID(name))),
    })
}

fn not(expr: Arc<Expr>) -> Arc<Expr> {
    Arc::new(Expr::UnaryOp {
        op: UnaryOp::Not,
        expr,
    })
}

fn expression_of(expression: &Arc<Expr>) -> Arc<Expr> {
    let changed = match expression.as_ref() {
        Expr::BinaryOp { op, left, right } => return binary(*op, left, right),
        Expr::Is {
            expr,
            entity_type,
            in_expr,
        } => return is(expr, entity_type, in_expr.as_ref()),
        Expr::UnaryOp { op, expr } => Expr::UnaryOp {
            op: *op,
            expr: expression_of(expr),
        },
        Expr::GetAttr { expr, attr } => Expr::GetAttr {
            expr: expression_of(expr),
            attr: attr.clone(),
        },
        Expr::HasAttr { expr, attrs } => Expr::HasAttr {
            expr: expression_of(expr),
            attrs: attrs.clone(),
        },
        Expr::Like { expr, pattern } => Expr::Like {
            expr: expression_of(expr),
            pattern: pattern.clone(),
        },
        Expr::IfThenElse {
            cond,
            then_expr,
            else_expr,
        } => Expr::IfThenElse {
            cond: expression_of(cond),
            then_expr: expression_of(then_expr),
            else_expr: expression_of(else_expr),
        },
        Expr::Set(items) => Expr::Set(items.iter().map(expression_of).collect()),
        Expr::Record(members) => Expr::Record(
            members
                .iter()
                .map(|(name, value)| (name.clone(), expression_of(value)))
                .collect(),
        ),
        _ => return Arc::clone(expression),
    };
    Arc::new(changed)
}

fn binary(op: BinaryOp, left: &Arc<Expr>, right: &Arc<Expr>) -> Arc<Expr> {
    if matches!(op, BinaryOp::Eq | BinaryOp::NotEq) {
        let compared = named(left, right).or_else(|| named(right, left));
        if let Some((other, name)) = compared {
            let inside = within(expression_of(other), name.clone());
            return if op == BinaryOp::Eq {
                inside
            } else {
                not(inside)
            };
        }
    }
    Arc::new(Expr::BinaryOp {
        op,
        left: expression_of(left),
        right: expression_of(right),
    })
}

/// The two sides, if the second is a name that the first must be in rather than equal.
fn named<'a>(other: &'a Arc<Expr>, name: &'a Expr) -> Option<(&'a Arc<Expr>, &'a EntityUID)> {
    let Expr::Literal(Literal::EntityUID(name)) = name else {
        return None;
    };
    let is_resource = matches!(other.as_ref(), Expr::Var(Var::Resource));
    (name.eid == ANY || is_resource).then_some((other, name))
}

fn is(expr: &Arc<Expr>, kind: &EntityType, in_expr: Option<&Arc<Expr>>) -> Arc<Expr> {
    if !matches!(expr.as_ref(), Expr::Var(Var::Resource)) {
        return Arc::new(Expr::Is {
            expr: expression_of(expr),
            entity_type: kind.clone(),
            in_expr: in_expr.map(expression_of),
        });
    }
    let typed = within(Arc::clone(expr), any_of(kind.clone()));
    let Some(container) = in_expr else {
        return typed;
    };
    Arc::new(Expr::BinaryOp {
        op: BinaryOp::And,
        left: typed,
        right: Arc::new(Expr::BinaryOp {
            op: BinaryOp::In,
            left: Arc::clone(expr),
            right: expression_of(container),
        }),
    })
}
