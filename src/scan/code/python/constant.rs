//! Texts that are put together to hide them.

use ruff_python_ast::{Expr, Number, Operator};

/// The text that an expression always is.
pub(super) fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::StringLiteral(text) => Some(text.value.to_str().to_owned()),
        Expr::BinOp(sum) if sum.op == Operator::Add => {
            Some(constant(&sum.left)? + &constant(&sum.right)?)
        }
        // `"metsys"[::-1]`
        Expr::Subscript(subscript) => match &*subscript.slice {
            Expr::Slice(slice) if slice.lower.is_none() && slice.upper.is_none() => {
                let back = matches!(slice.step.as_deref(), Some(Expr::UnaryOp(step)) if is_one(&step.operand));
                back.then(|| constant(&subscript.value).map(|text| text.chars().rev().collect()))?
            }
            _ => None,
        },
        // `"".join(["o", "s"])`
        Expr::Call(call) => {
            let Expr::Attribute(method) = &*call.func else { return None };
            let owner = constant(&method.value)?;
            match (method.attr.as_str(), call.arguments.args.first()) {
                ("join", Some(Expr::List(list))) => {
                    let parts: Option<Vec<_>> = list.elts.iter().map(constant).collect();
                    Some(parts?.join(&owner))
                }
                ("lower" | "strip", None) => Some(owner.trim().to_lowercase()),
                ("replace", Some(from)) => {
                    Some(owner.replace(&constant(from)?, &constant(call.arguments.args.get(1)?)?))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn is_one(expr: &Expr) -> bool {
    matches!(expr, Expr::NumberLiteral(number) if matches!(&number.value, Number::Int(int) if int.as_i64() == Some(1)))
}
